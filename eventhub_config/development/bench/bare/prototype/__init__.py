"""What a good developer writes in an afternoon: the same work as Event Hub's, and nothing beside it."""
