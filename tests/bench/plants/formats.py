"""The formats, each with how its documents are known, labelled, and planted in."""
import base64
import os
import re

from . import binary, html, mail, ole, pdf, pictures, plain, zips
from .xml import xml_places


# three folders up: the source tree
SOURCE = os.path.abspath(__file__).rsplit('/', 4)[0]
HEAD = ('From: Billing <billing@seller.example>\r\nTo: Customer <max@buyer.example>\r\n'
        'Subject: Your document\r\nDate: Tue, 1 Jul 2025 10:00:00 +0200\r\n'
        'Message-ID: <1@seller.example>\r\nMIME-Version: 1.0\r\n')


def as_mail(data, kind):
    """The document in the mail that carries it."""
    if kind.type is None:
        return data
    return ('%sContent-Type: multipart/mixed; boundary="=-b"\r\n\r\n--=-b\r\n'
            'Content-Type: text/plain\r\n\r\nPlease find your document attached.\r\n--=-b\r\n'
            'Content-Type: %s; name="document.%s"\r\nContent-Transfer-Encoding: base64\r\n'
            'Content-Disposition: attachment; filename="document.%s"\r\n\r\n' % (
                HEAD, kind.type, kind.extension, kind.extension)).encode() \
        + base64.encodebytes(data).replace(b'\n', b'\r\n') + b'--=-b--\r\n'


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


# what a reader calls an item that has another name here
CALLED = {
    'pdf': [
        (r'stream .*FontFile', 'font program'), (r'stream .*(ToUnicode|CMap)', 'character map'),
        (r'stream .*(DestOutputProfile|ColorSpace)', 'colour profile'), (r'stream .*(CIDSet|CIDToGIDMap)', 'glyph table'),
        (r'stream \S+ of a picture', 'picture'), (r'cross-reference stream', 'cross-reference stream'),
        (r'(name|string) (?:\S+/)?(\w+)(?:\[\])*$', r'\1 \2'), (r'string \S*/ID\[\]$', 'string file ID'),
        (r'new annotation: \w+ /(\w+)', r'string \1'), (r'new form field /(\w+)', r'string \1')],
    'mail': [(r'(?:new )?field (\S+)$', r'header \1'), (r'new part: (?:field|parameter) (\S+)$', r'header \1'),
             (r'new part: parameter (\S+)$', r'parameter \1')],
}


def names_of(kind, place):
    """What the place may be called in the table of structural items."""
    called = [m.expand(name) for pattern, name in CALLED.get(kind, []) for m in [re.match(pattern, place)] if m]
    words = [place] + [c.lower() if kind == 'mail' else c for c in called] + place.split(' ')
    names = list(words)
    names += [w.split('@')[-1] for w in words if '@' in w] + ['@' + w.split('@')[-1] for w in words if '@' in w]
    names += [re.sub(r'\b\w+:', '', n) for n in names]
    return names


OOXML = 'application/vnd.openxmlformats-officedocument.'
ODF = 'application/vnd.oasis.opendocument.'
SVG = (b'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="90" height="20">'
       b'<title>Logo</title><g id="a"><text x="1" y="9">Seller Ltd</text><path d="M 0 0 L 9 9"/></g></svg>\n')

XML = b'<?xml version="1.0"?>\n<a:invoice xmlns:a="urn:a" a:id="A-1"><a:total>12.00</a:total></a:invoice>\n'

KINDS = [
    Kind('pdf', 'pdf', 'application/pdf', pdf.pdf_places, examples=lambda: [pdf.example()],
         largest=160000),
    Kind('docx', 'docx', OOXML + 'wordprocessingml.document', simple(zips.zip_places),
         structural=('office', 'zip', 'archive'),
         examples=lambda: [zips.docx_example()]),
    Kind('xlsx', 'xlsx', OOXML + 'spreadsheetml.sheet', simple(zips.zip_places),
         structural=('office', 'zip', 'archive'),
         examples=lambda: [zips.xlsx_example()]),
    Kind('pptx', 'pptx', OOXML + 'presentationml.presentation', simple(zips.zip_places),
         structural=('office', 'zip', 'archive')),
    Kind('ods', 'ods', ODF + 'spreadsheet', simple(zips.zip_places),
         structural=('office', 'zip', 'archive'),
         examples=lambda: [zips.ods_example()]),
    Kind('odt', 'odt', ODF + 'text', simple(zips.zip_places), structural=('office', 'zip', 'archive'),
         examples=lambda: [zips.odt_example()]),
    Kind('xml', 'xml', 'application/xml', simple(xml_places), examples=lambda: [XML],
         wants=lambda p: p.lower().endswith('.xml') and '/einvoice/' in p),
    Kind('svg', 'svg', 'image/svg+xml', simple(xml_places), structural=('xml', 'html'), examples=lambda: [SVG]),
    Kind('html', 'html', 'text/html', simple(html.html_places), examples=lambda: [html.example()]),
    Kind('mail', 'eml', None, simple(mail.mail_places), examples=lambda: [mail.example()], largest=50000,
         tolerated=('image', 'signature')),
    Kind('json', 'json', 'application/json', simple(plain.json_places), structural=('text',),
         examples=lambda: [b'{"invoice": {"number": "A-1", "lines": [{"text": "x", "net": 12.5}]}, "paid": true}']),
    Kind('csv', 'csv', 'text/csv', simple(plain.csv_places), structural=('text',),
         examples=lambda: [plain.csv_example()], wants=lambda p: False),
    Kind('ics', 'ics', 'text/calendar', simple(plain.card_places), structural=('card', 'text'),
         examples=lambda: [plain.ics_example()]),
    Kind('vcf', 'vcf', 'text/vcard', simple(plain.card_places), structural=('card', 'text'),
         examples=lambda: [plain.vcf_example()]),
    Kind('rtf', 'rtf', 'application/rtf', simple(plain.rtf_places), examples=lambda: [plain.rtf_example()]),
    Kind('doc', 'doc', 'application/msword', simple(ole.ole_places), structural=('ole',), examples=lambda: [ole.example()]),
    Kind('xls', 'xls', 'application/vnd.ms-excel', simple(ole.ole_places), structural=('ole',)),
    Kind('msg', 'msg', 'application/vnd.ms-outlook', simple(ole.ole_places), structural=('ole', 'mapi')),
    Kind('png', 'png', 'image/png', simple(pictures.picture_places), structural=('picture',),
         examples=lambda: [pictures.png()]),
    Kind('jpg', 'jpg', 'image/jpeg', simple(pictures.picture_places), structural=('picture',),
         examples=lambda: [pictures.jpeg()]),
    Kind('gif', 'gif', 'image/gif', simple(pictures.picture_places), structural=('picture',),
         examples=lambda: [pictures.gif()]),
    Kind('zip', 'zip', 'application/zip', simple(zips.zip_places), structural=('archive',), largest=50000,
         examples=lambda: [zips.example()]),
    Kind('tar', 'tar', 'application/x-tar', simple(binary.tar_places), structural=('archive',),
         examples=lambda: [b'-']),
    Kind('gz', 'gz', 'application/gzip', simple(binary.gz_places), structural=('archive',),
         examples=lambda: [b'-'], wants=lambda p: False),
    Kind('7z', '7z', 'application/x-7z-compressed', simple(binary.seven_places), structural=('archive',),
         examples=lambda: [b'-'], wants=lambda p: False),
    Kind('tnef', 'dat', 'application/ms-tnef', simple(binary.tnef_places), examples=lambda: [b'-'],
         structural=('mapi',)),
    Kind('p7m', 'p7m', 'application/pkcs7-mime', simple(binary.p7m_places), examples=lambda: [b'-'],
         structural=('pkcs7',)),
]
