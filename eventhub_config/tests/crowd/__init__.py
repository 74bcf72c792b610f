"""A crowd that uses Event Hub over HTTP, all at once, and the record of everything that it was answered.

``clients`` send requests as good front ends do: a connection that broke leaves the outcome unknown, and whatever may be
sent again is sent again under the same key. ``people`` book, pay, queue, scan and edit at random. ``trouble`` lets
deadlines pass and kills processes. ``watching`` looks at the rows while all this goes on, ``judging`` at the end of it.
"""
