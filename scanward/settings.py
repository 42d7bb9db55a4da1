"""Every setting, read from `SCANWARD_*` and nowhere else; `scanward config show` prints them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

NamePolicy = Literal["preserve", "safe", "pseudonymous"]
Duplicates = Literal["replace", "keep", "reject"]
Origin = Annotated[str, Field(pattern=r"^https?://[^/\s?#*,]+$")]
"""Scheme, host and, where it is not the scheme's own, port; as a browser names it."""
_BYTES_A_SECOND = 5e6  # far below what any disk and any transfer syntax needs


def _config_home() -> Path:
    return Path.home() / ".config" / "scanward"


class Settings(BaseSettings):
    """Settings of one site; each is an environment variable with the prefix SCANWARD_."""

    model_config = SettingsConfigDict(env_prefix="SCANWARD_", extra="ignore", frozen=True)

    data: Path = Field(Path("scanward-data"), description="Folder of the store and the catalog.")
    database_url: str = Field(
        "", description="PostgreSQL URL of the catalog; empty: SQLite in the data folder."
    )
    object_store: str = Field(
        "", description="s3://bucket/prefix that keeps the objects; empty: the data folder."
    )
    object_store_kms_key: str = Field(
        "", description="ARN of the key of that store's objects; empty: the bucket's default."
    )
    key_file: Path = Field(
        default_factory=lambda: _config_home() / "site.key",
        description="The site's secret; outside the data folder, mode 0600.",
    )
    domain: str = Field("default", description="Project whose pseudonyms cannot be joined with another's.")
    profile: str = Field("hipaa-safe-harbor", description="Profile name or the path of a YAML file.")
    patient_id_digits: int = Field(12, ge=12, le=32, description="Hex digits after ANON-.")
    deid_keys: NamePolicy = Field("safe", description="What happens to names that hold an identifier.")
    rules: dict[str, Literal["reject", "warn"]] = Field(
        default_factory=dict, description='Severity a rule, as JSON: {"type1-missing": "reject"}.'
    )
    max_object_bytes: int = Field(4 << 30, gt=0, description="Largest object accepted.")
    max_inflated_bytes: int = Field(512 << 20, gt=0, description="Largest deflated data set after inflation.")
    max_inflate_ratio: int = Field(200, gt=1, description="Largest inflation ratio.")
    duplicates: Duplicates = Field(
        "replace",
        description="Other bytes under a kept SOP Instance UID: `replace` it, with history; `keep` it and "
        "warn; `reject` them.",
    )
    free_space_bytes: int = Field(1 << 30, ge=0, description="Watermark: below it uploads are answered 507.")
    workers: int = Field(2, ge=0, description="Worker processes of the service.")
    stage_seconds: float = Field(
        30.0,
        gt=0,
        description="Limit of one stage of one object, and 1 s more for each 5 MB; beyond it TIMED_OUT.",
    )
    stop_seconds: float = Field(
        10.0, ge=0, description="Grace of workers on a stop; then they are ended, and their work waits."
    )
    lease_seconds: float = Field(30.0, gt=0, description="Lease of claimed work.")
    max_attempts: int = Field(3, ge=1, description="Attempts before the dead-letter list.")
    public_url: str = Field(
        "",
        pattern=r"^$|^https?://[^\s?#]+[^/\s?#]$",
        description="Address that clients call, where a proxy stands before the service; empty: as called.",
    )
    cors_origins: tuple[Origin, ...] = Field(
        (), description='Origins whose pages may ask DICOMweb, as JSON: ["https://viewer.example"].'
    )
    start_token: str | None = Field(None, description="Start-up token; empty: none, loopback only.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")

    def limit_seconds(self, size: int) -> float:
        """Return how long one object of `size` bytes may take in a stage, or in a batch."""
        return self.stage_seconds + size / _BYTES_A_SECOND


class AwsSettings(BaseSettings):
    """Where the line's parts are on AWS; Lambda gets them from the templates, a command from its shell.

    Region, credentials and endpoint are boto3's own: AWS_DEFAULT_REGION, AWS_PROFILE, AWS_ENDPOINT_URL …
    """

    model_config = SettingsConfigDict(env_prefix="SCANWARD_AWS_", extra="ignore", frozen=True)

    raw_bucket: str = Field("", description="Bucket that scans are uploaded to.")
    processed_bucket: str = Field("", description="Bucket of de-identified objects; may be the raw one.")
    raw_prefix: str = Field("", description="Prefix of uploads; `raw/` with one bucket.")
    processed_prefix: str = Field("", description="Prefix of outputs; `processed/` with one bucket.")
    quarantine_prefix: str = Field("quarantine/", description="Prefix of quarantine in the raw bucket.")
    processed_kms_key: str = Field("", description="ARN of the key of outputs; empty: the bucket's default.")
    raw_kms_key: str = Field("", description="ARN of the key of quarantine; empty: the bucket's default.")
    state_machine_arn: str = Field("", description="State machine of dicom_processing_workflow.json.")
    backfill_arn: str = Field("", description="State machine of backfill_workflow.json.")
    executions_table: str = Field("", description="DynamoDB table of executions.")
    queue_url: str = Field("", description="SQS queue of the raw bucket's events.")
    dead_letter_url: str = Field("", description="SQS queue of events that failed three times.")
    topic_arn: str = Field("", description="SNS topic that failures are told to; empty: nobody is told.")
    site_secret_arn: str = Field(
        "", description="Secret that pseudonyms are made from; where set, it stands for the key file."
    )
    naming_secret_arn: str = Field("", description="Secret that executions are named with; not the site's.")
    execution_seconds: float = Field(
        300.0, gt=0, description="Time-out of the state machine; a row that runs longer is looked up there."
    )
    simple_bytes: int = Field(
        64 << 20, gt=0, description="Objects above this are copied inside S3, not read."
    )
    max_object_bytes: int = Field(
        50 << 30, gt=0, description="Largest object that the functions take; its pixels never enter them."
    )
    environment: str = Field("dev", description="dev, prod …; the dimension of metrics.")
    preserve_tags: str = Field(
        "", description="Tags that the functions keep on top of the profile, as `Manufacturer 00081010`."
    )


class Phase1Settings(BaseSettings):
    """Where Phase 1's parts are; its template sets them for both of its functions."""

    model_config = SettingsConfigDict(env_prefix="SCANWARD_PHASE1_", extra="ignore", frozen=True)

    upload_bucket: str = Field("", description="Bucket of uploads.")
    studies_table: str = Field("", description="DynamoDB table of studies.")
    datastore_id: str = Field("", description="HealthImaging data store.")
    import_role_arn: str = Field("", description="Role that HealthImaging reads and writes the bucket with.")
    state_machine_arn: str = Field("", description="State machine of import_monitor_workflow.json.")
    import_seconds: int = Field(
        43_200, gt=0, description="How long an import is waited for; then its study has FAILED."
    )
