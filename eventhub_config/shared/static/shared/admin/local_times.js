// Times on this page are of the event's zone: no hint about the server's clock, and "Now" is what the clock here shows.
document.addEventListener("DOMContentLoaded", () => delete document.body.dataset.adminUtcOffset);
