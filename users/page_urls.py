from django.urls import path

from users.pages import PAGES

# The admin's log-in page shows a link to whatever bears this name.
NAMES = {"forgot-password": "admin_password_reset"}

urlpatterns = [path(f"{page}/", view, name=NAMES.get(page, f"account-{page}")) for page, view in PAGES.items()]
