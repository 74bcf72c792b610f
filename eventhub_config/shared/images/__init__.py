"""Pictures that people upload: taken, made anew, stored, rendered in three sizes, served and discarded.

``headers`` and ``accepting`` decide about a file, ``decoder`` makes a picture of ours from it in a process of its own,
``storing`` keeps it and its row, ``rendering`` is the worker's part, ``uploads`` and ``serving`` are HTTP.
"""
