"""The contract between the agencies, data only: event schemas, directory, law."""

from schemas.files import SHIPPED, directory_files, event_files, law_files, type_files

__all__ = ["SHIPPED", "directory_files", "event_files", "law_files", "type_files"]
