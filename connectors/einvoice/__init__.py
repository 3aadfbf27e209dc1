"""
E-invoices (hóa đơn điện tử) in the tax authority's format: files in, `einvoice.received` events out.

`expand` lists the files, `read_file` reads one and never raises for what is in it, `file_report` makes the JSON object
that the command line prints. Nothing here talks to a server.
"""

from connectors.einvoice.files import EinvoiceFile, expand, read_content, read_file
from connectors.einvoice.report import file_report

__all__ = ["EinvoiceFile", "expand", "file_report", "read_content", "read_file"]
