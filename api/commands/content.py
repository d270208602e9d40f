"""`content`: the clinic's content as files."""

import typer

from api.commands.content_exchange import FolderArgument, diff, pull, push
from api.commands.content_new import new, report_languages
from api.commands.opening import one_line_faults
from data.documents.checks import check_folder
from data.documents.files import ContentFaults, read_content
from models.clinic import ClinicContent
from models.document import Kind

content = typer.Typer(help="The clinic's content as files.", no_args_is_help=True)


@content.command()
def check(folder: FolderArgument) -> None:
    """Check the content files. Each fault is printed with its file, line and reason."""
    with one_line_faults():
        files = read_content(folder)
        if faults := check_folder(files):
            raise ContentFaults(faults)
    count = {kind: sum(key.kind is kind for key in files.files) for kind in Kind}
    typer.echo(f"No faults in {count[Kind.SECTION]} sections and {count[Kind.FAQ]} FAQs.")
    clinic = next(file.content for key, file in files.files.items() if key.kind is Kind.CLINIC)
    if isinstance(clinic, ClinicContent):
        report_languages(clinic.locales)


content.command()(new)
content.command()(pull)
content.command()(diff)
content.command()(push)
