"""How pages (the admin) write days and times: unambiguous everywhere, with the zone they are in."""
