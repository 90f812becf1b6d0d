"""The formats, each with how its documents are known, labelled, and planted in."""
import re

from . import pdf, pictures, zips
from .xml import xml_places


class Kind:
    """A format; `type` is None if its documents are mails themselves."""

    def __init__(self, name, extension, type_, places, wants=None, examples=None, structural=(),
                 tolerated=(), largest=200000):
        self.name, self.extension, self.type, self.make = name, extension, type_, places
        self.wants = wants or (lambda path: path.lower().endswith('.' + extension))
        self.examples = examples or (lambda: [])
        self.structural = (name,) + tuple(structural)
        self.tolerated, self.largest = tolerated, largest

    def places(self, places, data, scratch):
        return self.make(places, data, scratch)


def simple(function):
    """For those that write a document anew from its bytes."""
    return lambda places, data, scratch: function(places, data) or data


def names_of(place):
    """What the place may be called in the table of structural items."""
    words = place.split(' ')
    names = [place] + words
    names += [w.split('@')[-1] for w in words if '@' in w] + ['@' + w.split('@')[-1] for w in words if '@' in w]
    names += [re.sub(r'\b\w+:', '', n) for n in names]
    return names


OOXML = 'application/vnd.openxmlformats-officedocument.'
ODF = 'application/vnd.oasis.opendocument.'
KINDS = [
    Kind('pdf', 'pdf', 'application/pdf', pdf.pdf_places, examples=lambda: [pdf.example()],
         largest=60000),
    Kind('docx', 'docx', OOXML + 'wordprocessingml.document', simple(zips.zip_places),
         structural=('office', 'zip', 'archive')),
    Kind('xlsx', 'xlsx', OOXML + 'spreadsheetml.sheet', simple(zips.zip_places),
         structural=('office', 'zip', 'archive')),
    Kind('pptx', 'pptx', OOXML + 'presentationml.presentation', simple(zips.zip_places),
         structural=('office', 'zip', 'archive')),
    Kind('ods', 'ods', ODF + 'spreadsheet', simple(zips.zip_places),
         structural=('office', 'zip', 'archive')),
    Kind('odt', 'odt', ODF + 'text', simple(zips.zip_places), structural=('office', 'zip', 'archive')),
    Kind('xml', 'xml', 'application/xml', simple(xml_places),
         wants=lambda p: p.lower().endswith('.xml') and '/einvoice/' in p),
    Kind('zip', 'zip', 'application/zip', simple(zips.zip_places), structural=('archive',), largest=50000),
]
