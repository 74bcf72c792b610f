"""The events of the demo world: one for each thing that an event can be, and some from all over the world."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from events.models import Event

BERLIN = {"city": "Berlin", "country": "DE", "timezone": "Europe/Berlin"}
ACADEMY = BERLIN | {
    "venue_name": "Brandt Academy",
    "address": "Musterstraße 1",
    "latitude": Decimal("52.532000"),
    "longitude": Decimal("13.384900"),
}
HARBOUR = {
    "venue_name": "Harbour House",
    "address": "Exempelgatan 7",
    "city": "Stockholm",
    "country": "SE",
    "timezone": "Europe/Stockholm",
}
ONLINE = {"format": Event.Format.ONLINE, "attendance_rule": Event.AttendanceRule.CONFIRMED}


@dataclass(frozen=True)
class DemoEvent:
    title: str
    organizer: str
    starts_in_days: int
    hour: int
    lasts: timedelta
    category: Event.Category
    about: Mapping[str, Any]
    types: tuple[Mapping[str, Any], ...] = ({"name": "Standard", "price": Decimal(0)},)
    created_days_ago: int = 30
    published: bool = True
    # Days before the start.
    refund_until: int | None = None
    deadline: int | None = None
    sales_start_in_days: int | None = None
    # Cancelled by ``payments.demo``, once its bookings have been paid.
    cancelled_because: str = ""
    skills: tuple[str, ...] = field(default=())

    def starts_at(self, now: datetime) -> datetime:
        """Return the start: an hour by the clock of the event's place."""
        zone = ZoneInfo(self.about["timezone"])
        day = (now + timedelta(days=self.starts_in_days)).astimezone(zone).date()
        return datetime.combine(day, time(self.hour), zone).astimezone(UTC)


def one_price(price: str, **more: Any) -> tuple[Mapping[str, Any], ...]:
    return ({"name": "Standard", "price": Decimal(price), **more},)


EVENTS = (
    DemoEvent(
        "PostgreSQL for Application Developers", "olga", 21, 9, timedelta(hours=8), Event.Category.WORKSHOP,
        ACADEMY | {
            "summary": "Indexes, locks and query plans for people who write the application.",
            "description": "A day at the keyboard. Bring a laptop; the database comes with us.",
            "capacity": 16, "tax_rate": Decimal(19), "hours": Decimal("7.5"),
            "refund_policy": Event.RefundPolicy.PARTIAL, "refund_percent": 50,
        },
        types=one_price("240"), refund_until=7, skills=("PostgreSQL", "SQL"),
    ),
    DemoEvent(
        "Stockholm Python Evening", "oscar", 9, 18, timedelta(hours=3), Event.Category.MEETUP,
        HARBOUR | {
            "summary": "Three short talks, then food.",
            "description": "Everybody is welcome, from the first script to the hundredth service.",
            "capacity": 60, "currency": "SEK",
        },
        skills=("Python",),
    ),
    DemoEvent(
        "Berlin API Conference", "olga", 45, 9, timedelta(days=1, hours=9), Event.Category.CONFERENCE,
        ACADEMY | {
            "venue_name": "Old Print Works", "address": "Beispielplatz 3, 10997 Berlin",
            "summary": "Two days on interfaces that last.",
            "description": "Two tracks, forty talks, and a hall to meet in. Join on site or online.",
            "format": Event.Format.HYBRID, "online_url": "https://live.demo.example/api-conference",
            "capacity": 150, "tax_rate": Decimal(19), "hours": Decimal(14),
        },
        types=(
            {"name": "Early bird", "price": Decimal(149), "quantity": 3, "max_per_booking": 1},
            {"name": "Regular", "price": Decimal(249), "quantity": 100},
            {"name": "Student", "price": Decimal(49), "quantity": 20, "max_per_booking": 1,
             "description": "With a valid student card."},
            {"name": "Online", "price": Decimal(79)},
            {"name": "Speaker", "price": Decimal(0), "quantity": 10, "is_visible": False},
        ),
        skills=("API design", "HTTP"),
    ),
    DemoEvent(
        "Master Class: Reading a Query Plan", "olga", 14, 10, timedelta(hours=6), Event.Category.MASTER_CLASS,
        ACADEMY | {
            "summary": "Four seats, one whiteboard.",
            "description": "Bring a slow query of your own; we leave with a fast one.",
            "capacity": 4, "tax_rate": Decimal(19), "hours": Decimal(5),
        },
        types=one_price("390"), skills=("PostgreSQL", "Performance"),
    ),
    DemoEvent(
        "Sauna Talks: Consensus", "oscar", 12, 19, timedelta(hours=4), Event.Category.MEETUP,
        HARBOUR | {
            "summary": "Four seats on a warm bench, and a queue for them.",
            "description": "One paper, read aloud and argued about. Bring a towel.",
            "capacity": 4, "currency": "SEK",
        },
    ),
    DemoEvent(
        "Open Source Office Hours", "oscar", 3, 17, timedelta(hours=1), Event.Category.WEBINAR,
        ONLINE | {
            "summary": "Ask maintainers anything.", "online_url": "https://live.demo.example/office-hours",
            "timezone": "Europe/Stockholm", "hours": Decimal(1),
        },
    ),
    DemoEvent(
        "Designing APIs People Enjoy", "olga", 12, 16, timedelta(hours=2), Event.Category.WEBINAR,
        ONLINE | {
            "summary": "What makes an interface a pleasure, with examples to take home.",
            "online_url": "https://live.demo.example/enjoyable-apis",
            "timezone": "Europe/Berlin", "tax_rate": Decimal(19), "hours": Decimal(2),
        },
        types=one_price("35"), skills=("API design",),
    ),
    DemoEvent(
        "Helsinki Data Meetup", "oscar", 30, 18, timedelta(hours=2), Event.Category.MEETUP,
        {
            "summary": "Small talks about large tables.", "venue_name": "Market Hall Library",
            "address": "Esimerkkikatu 5, 00100 Helsinki", "city": "Helsinki", "country": "FI",
            "timezone": "Europe/Helsinki", "capacity": 25,
        },
        deadline=2,
    ),
    DemoEvent(
        "Two Time Zones, One Team", "oscar", 25, 19, timedelta(hours=2), Event.Category.WEBINAR,
        ONLINE | {
            "summary": "Working between Tokyo and Europe.", "online_url": "https://live.demo.example/two-time-zones",
            "timezone": "Asia/Tokyo", "currency": "JPY", "tax_rate": Decimal(10), "capacity": 500,
            "refund_policy": Event.RefundPolicy.NONE,
        },
        types=one_price("3000"),
    ),
    DemoEvent(
        "Autumn Architecture Retreat", "olga", 120, 10, timedelta(days=2, hours=6), Event.Category.TRAINING,
        ACADEMY | {
            "venue_name": "Lake House", "address": "Am Mustersee 12, 15377 Buckow", "city": "Buckow",
            "summary": "Three days by the lake. Sales begin soon.", "capacity": 24, "tax_rate": Decimal(19),
        },
        types=one_price("890"), sales_start_in_days=20, skills=("Architecture",),
    ),
    DemoEvent(
        "Testing Without Tears", "olga", 60, 9, timedelta(hours=8), Event.Category.WORKSHOP,
        ACADEMY | {"summary": "A draft, complete: it can be published.", "capacity": 20, "tax_rate": Decimal(19)},
        types=one_price("180"), created_days_ago=3, published=False, skills=("Testing",),
    ),
    DemoEvent(
        "Winter Gathering", "oscar", 90, 18, timedelta(hours=4), Event.Category.MEETUP,
        {"summary": "A draft without a place: publishing it is refused.", "timezone": "Europe/Stockholm"},
        created_days_ago=2, published=False,
    ),
    DemoEvent(
        "Django Deep Dive", "olga", -1, 9, timedelta(days=2, hours=8), Event.Category.TRAINING,
        ACADEMY | {
            "summary": "Three days below the surface. Going on right now.", "capacity": 12,
            "tax_rate": Decimal(19), "hours": Decimal(21),
        },
        types=one_price("680"), created_days_ago=50, skills=("Django", "Python"),
    ),
    DemoEvent(
        "Introduction to Celery", "olga", -20, 9, timedelta(hours=7), Event.Category.WORKSHOP,
        ACADEMY | {
            "summary": "Queues, retries, and what to keep in rows instead.", "capacity": 18,
            "tax_rate": Decimal(19), "hours": Decimal(6),
        },
        types=one_price("120"), created_days_ago=60, skills=("Celery", "Python"),
    ),
    DemoEvent(
        "Engineers by the Sea", "oscar", -45, 17, timedelta(hours=5), Event.Category.MEETUP,
        HARBOUR | {"summary": "An evening on the quay.", "capacity": 40, "currency": "SEK"},
        created_days_ago=90,
    ),
    DemoEvent(
        "Kubernetes in a Day", "olga", 18, 9, timedelta(hours=8), Event.Category.TRAINING,
        ACADEMY | {"summary": "From a container to a cluster.", "capacity": 16, "tax_rate": Decimal(19)},
        types=one_price("290"), cancelled_because="The trainer is ill.", skills=("Kubernetes",),
    ),
    # From all over the world, in their own languages, for the search to find.
    DemoEvent(
        "Künstliche Intelligenz für Anfänger", "olga", 33, 18, timedelta(hours=3), Event.Category.WORKSHOP,
        {
            "summary": "Was Maschinen lernen und was nicht.", "language": "de", "venue_name": "Café Zur Brücke",
            "description": "Ein Abend ohne Formeln: neuronale Netze, Daten und viele Übungen zum Mitmachen.",
            "address": "Beispielgasse 4, 1020 Wien", "city": "Wien", "country": "AT", "timezone": "Europe/Vienna",
            "capacity": 30, "tax_rate": Decimal(20), "hours": Decimal(3),
        },
        types=one_price("45"), skills=("Künstliche Intelligenz", "Python"),
    ),
    DemoEvent(
        "Photographie de rue à Montréal", "oscar", 40, 14, timedelta(hours=4), Event.Category.MASTER_CLASS,
        {
            "summary": "Une après-midi dans le Vieux-Port, appareil en main.", "language": "fr",
            "description": "Lumière, cadrage, et le courage d'approcher les gens.",
            "venue_name": "Atelier du Quai", "address": "8, rue de l'Exemple", "city": "Montréal", "country": "CA",
            "timezone": "America/Toronto", "capacity": 12, "currency": "CAD", "tax_rate": Decimal(5),
        },
        types=one_price("120"), skills=("Photographie",),
    ),
    DemoEvent(
        "Taller de cerámica en Bogotá", "oscar", 28, 10, timedelta(hours=5), Event.Category.WORKSHOP,
        {
            "summary": "Del barro a la taza en una mañana.", "language": "es", "venue_name": "Casa del Barro",
            "description": "Torno, esmalte y horno. No hace falta experiencia.", "address": "Calle Ejemplo 12",
            "city": "Bogotá", "country": "CO", "timezone": "America/Bogota", "capacity": 10, "currency": "COP",
        },
        types=one_price("90000"), skills=("Cerámica",),
    ),
    DemoEvent(
        "Введение в машинное обучение", "oscar", 36, 11, timedelta(hours=6), Event.Category.TRAINING,
        {
            "summary": "Практический курс для программистов.", "language": "ru",
            "description": "Линейные модели, деревья решений и проверка гипотез на настоящих данных.",
            "venue_name": "Дом науки", "address": "Примерная улица, 5", "city": "Алматы", "country": "KZ",
            "timezone": "Asia/Almaty", "capacity": 25, "currency": "KZT", "hours": Decimal(6),
        },
        types=one_price("15000"), skills=("Машинное обучение", "Python"),
    ),
    DemoEvent(
        "Сучасна українська поезія", "olga", 27, 19, timedelta(hours=2), Event.Category.MEETUP,
        {
            "summary": "Вечір читань і розмов.", "language": "uk", "venue_name": "Книгарня «Сторінка»",
            "description": "Шестеро поетів читають нові тексти; потім відкритий мікрофон.",
            "address": "вулиця Прикладна, 3", "city": "Київ", "country": "UA", "timezone": "Europe/Kyiv",
            "capacity": 40,
        },
    ),
    DemoEvent(
        "Φιλοσοφία στην πλατεία", "olga", 50, 20, timedelta(hours=2), Event.Category.MEETUP,
        {
            "summary": "Ανοιχτή συζήτηση κάτω από τα δέντρα.", "language": "el", "venue_name": "Πλατεία Παραδείγματος",
            "description": "Από τον Σωκράτη ως σήμερα: τι είναι το κοινό καλό;", "city": "Αθήνα", "country": "GR",
            "timezone": "Europe/Athens",
        },
    ),
    DemoEvent(
        "東京モバイル開発の夕べ", "oscar", 22, 19, timedelta(hours=3), Event.Category.MEETUP,
        {
            "summary": "アプリ開発者のための短い発表と交流会。", "language": "ja", "venue_name": "見本会館",
            "description": "設計、テスト、公開まで。初心者も歓迎します。", "address": "東京都港区見本町1-2-3",
            "city": "東京", "country": "JP", "timezone": "Asia/Tokyo", "currency": "JPY", "capacity": 80,
            "tax_rate": Decimal(10),
        },
        types=one_price("1500"), skills=("モバイル開発",),
    ),
    DemoEvent(
        "Łódź Design Weekend", "olga", 55, 10, timedelta(days=1, hours=8), Event.Category.CONFERENCE,
        {
            "summary": "Two days of chairs, posters and typefaces.", "venue_name": "Fabryka Przykładowa",
            "description": "Exhibition, talks, and a workshop on wayfinding in old factories.",
            "address": "ulica Wzorcowa 9", "city": "Łódź", "country": "PL", "timezone": "Europe/Warsaw",
            "currency": "PLN", "capacity": 200, "tax_rate": Decimal(23),
        },
        types=one_price("320"), skills=("Typography", "Design"),
    ),
    DemoEvent(
        "Kathmandu Mapping Party", "oscar", 31, 9, timedelta(hours=6), Event.Category.MEETUP,
        {
            "summary": "We put footpaths and springs on the open map.", "venue_name": "Namuna House",
            "description": "Bring a phone and good shoes. Tea is on us.", "city": "Kathmandu", "country": "NP",
            "timezone": "Asia/Kathmandu", "currency": "NPR", "capacity": 35,
        },
        skills=("Cartography",),
    ),
    DemoEvent(
        "Şehir Bahçeciliği Atölyesi", "olga", 38, 13, timedelta(hours=3), Event.Category.WORKSHOP,
        {
            "summary": "Balkonda domates, çatıda arı kovanı.", "language": "tr", "venue_name": "Örnek Bahçe",
            "description": "Toprak, tohum ve sulama üzerine uygulamalı bir öğleden sonra.", "city": "İstanbul",
            "country": "TR", "timezone": "Europe/Istanbul", "currency": "TRY", "capacity": 18,
        },
        types=one_price("750"), skills=("Bahçecilik",),
    ),
    DemoEvent(
        "مقدمة في الخط العربي", "oscar", 44, 17, timedelta(hours=3), Event.Category.WORKSHOP,
        {
            "summary": "أمسية مع القلم والحبر.", "language": "ar", "venue_name": "بيت الفنون",
            "description": "نتعلم حروف خط النسخ ونكتب أسماءنا.", "city": "القاهرة", "country": "EG",
            "timezone": "Africa/Cairo", "currency": "EGP", "capacity": 15,
        },
        types=one_price("400"), skills=("الخط",),
    ),
)  # fmt: skip
