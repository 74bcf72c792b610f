"""A bucket of an S3-compatible service in place of the folder. Imported only where the settings name it."""

from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from storages.backends.s3 import S3Storage


class MediaBucket(S3Storage):
    """Private objects, asked for with bounded patience and served by our own view."""

    def __init__(self, *, timeout_seconds: int, **options: Any) -> None:
        client_config = Config(
            connect_timeout=timeout_seconds,
            read_timeout=timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": 2},
            # An endpoint of one's own seldom has a host name for each bucket.
            s3={"addressing_style": "path" if options.get("endpoint_url") else "auto"},
            # Other services than Amazon's know no newer kinds of checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(
            client_config=client_config,
            transfer_config=TransferConfig(use_threads=False),
            file_overwrite=True,
            default_acl=None,
            querystring_auth=False,
            **options,
        )
