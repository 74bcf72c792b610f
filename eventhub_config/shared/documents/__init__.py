"""Documents on paper: what tickets and invoices, and later certificates, are made of.

What draws (``sheet``, ``typefaces``) imports the PDF library, which costs memory and time: it is imported inside the
functions that make a document, never on the way to starting a process.
"""
