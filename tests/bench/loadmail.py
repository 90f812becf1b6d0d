"""Mail like real mail, for the benches of what it costs: label words, figures, HTML, several languages, documents."""
import base64
import random
import struct
import zlib

SERIAL = '0SERIAL0'  # milterload has a number of its own for each message there

WORDS = {
    'en': 'thank you for your order please pay within the days given below our terms of delivery and payment apply '
          'this invoice was made by a machine and is valid without signature customer service account contract '
          'address telephone number reference amount total period usage subscription quantity'.split(),
    'de': 'vielen Dank für Ihren Auftrag bitte überweisen Sie den Betrag innerhalb der Frist es gelten unsere '
          'Geschäftsbedingungen diese Rechnung wurde maschinell erstellt Kunde Konto Vertrag Anschrift Telefon '
          'Nummer Betrag Zeitraum Verbrauch Lieferung Menge'.split(),
    'fr': 'merci de votre commande veuillez régler la somme avant la date indiquée nos conditions générales '
          's’appliquent cette facture est valable sans signature client compte contrat adresse téléphone numéro '
          'montant période livraison quantité'.split(),
}
PLAIN = WORDS['en'][:30]  # pages are full of words that are no labels
LABELS = {
    'en': ('Invoice number', 'Customer number', 'Date', 'Amount due', 'Billing address', 'Phone'),
    'de': ('Rechnungsnummer', 'Kundennummer', 'Datum', 'Rechnungsbetrag', 'Rechnungsanschrift', 'Telefon'),
    'fr': ('Numéro de facture', 'Numéro de client', 'Date', 'Montant dû', 'Adresse de facturation', 'Téléphone'),
}


def sentence(rng, language, figures=True):
    words = [rng.choice(WORDS[language]) for _ in range(rng.randint(8, 18))]
    if figures and rng.random() < 0.4:
        words.insert(rng.randrange(len(words)), '%d,%02d EUR' % (rng.randint(1, 9999), rng.randint(0, 99)))
    return ' '.join(words).capitalize() + '.'


def prose(rng, size, figures=True):
    lines, n = [], 0
    while n < size:
        lines.append(sentence(rng, rng.choice(sorted(WORDS)), figures))
        n += len(lines[-1].encode()) + 1
    return '\n'.join(lines) + '\n'


def facts(rng, language):
    values = ('RE-%d-%s' % (rng.randint(2020, 2026), SERIAL), 'C-10001',
              '%02d.%02d.2026' % (rng.randint(1, 28), rng.randint(1, 12)),
              '%d,%02d EUR' % (rng.randint(10, 9000), rng.randint(0, 99)),
              'Alpha Trading GmbH, Hauptstr. %d, 10115 Berlin' % rng.randint(1, 200),
              '+49 30 %d' % rng.randint(1000000, 9999999))
    return list(zip(LABELS[language], values))


def bodies(rng, size):
    """Text and HTML of an invoice, together about `size` bytes."""
    language = rng.choice(sorted(WORDS))
    rows, more = facts(rng, language), prose(rng, size // 5)
    text = ''.join('%s: %s\n' % row for row in rows) + more + 'IBAN DE89 3704 0044 0532 0130 00\nVAT ID DE136695976\n'
    html = ('<html><head><style>td { padding: 4px; font-family: sans-serif }</style></head><body><table>'
            + ''.join('<tr><td><b>%s</b></td><td style="color:#333">%s</td></tr>\n' % row for row in rows)
            + '</table>' + ''.join('<p>%s</p>\n' % line for line in more.split('\n'))
            + '<p>IBAN DE89 3704 0044 0532 0130 00<br>VAT&nbsp;ID DE136695976</p></body></html>\n')
    return text, html


def alternative(text, html):
    return ('Content-Type: multipart/alternative; boundary=alt\n\n--alt\nContent-Type: text/plain; charset=utf-8\n'
            'Content-Transfer-Encoding: 8bit\n\n%s\n--alt\nContent-Type: text/html; charset=utf-8\n'
            'Content-Transfer-Encoding: 8bit\n\n%s\n--alt--\n' % (text, html))


def mail(rng, entity):
    return ('From: Billing <billing@seller.example>\nTo: kunde@alpha.example\nSubject: Your invoice\n'
            'Message-ID: <' + SERIAL + '.%016x@seller.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0100\nMIME-Version: 1.0\n%s'
            % (rng.getrandbits(64), entity))


def with_file(rng, data, kind, name, size=3000):
    return mail(rng, 'Content-Type: multipart/mixed; boundary=mix\n\n--mix\n%s--mix\nContent-Type: %s; name="%s"\n'
                'Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="%s"\n\n%s--mix--\n'
                % (alternative(*bodies(rng, size)), kind, name, name, base64.encodebytes(data).decode()))


def numbered(data, comment):
    """A file that is another one with each message: a comment at its end, which base64 writes as SERIAL."""
    data += comment
    data += b' ' * (-len(data) % 57)  # where a line of base64 begins
    return data + base64.b64decode(SERIAL) + b'\n'


def pdf(rng, pages=12):
    """Pages of text as a billing system writes them, compressed."""
    objects = ['<</Type/Catalog/Pages 2 0 R>>', None, '<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>']
    kids = []
    for page in range(pages):
        lines = ['%s: %s' % row for row in facts(rng, 'de')] if page == 0 else []
        lines = [line.replace(SERIAL, '%05d' % rng.randint(1, 99999)) for line in lines]
        lines += [' '.join(rng.choice(PLAIN) for _ in range(12)) for _ in range(45)]
        text = 'BT /F 9 Tf 12 TL 40 800 Td ' + ''.join(
            '(%s) Tj T*\n' % line.replace('(', '').replace(')', '') for line in lines) + 'ET'
        data = zlib.compress(text.encode('cp1252', 'replace'))
        kids.append('%d 0 R' % (len(objects) + 1))
        objects.append('<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F 3 0 R>>>>>>'
                       % (len(objects) + 2))
        objects.append((b'<</Filter/FlateDecode/Length %d>>stream\n' % len(data)) + data + b'\nendstream')
    objects[1] = '<</Type/Pages/Count %d/Kids[%s]>>' % (pages, ' '.join(kids))
    out, at = b'%PDF-1.5\n', []
    for i, body in enumerate(objects):
        at.append(len(out))
        out += b'%d 0 obj\n' % (i + 1) + (body if isinstance(body, bytes) else body.encode()) + b'\nendobj\n'
    table = len(out)
    return out + b'xref\n0 %d\n0000000000 65535 f \n' % (len(at) + 1) + b''.join(b'%010d 00000 n \n' % a for a in at) \
        + b'trailer<</Size %d/Root 1 0 R/ID[<%s><00>]>>\nstartxref\n%d\n%%%%EOF\n' \
        % (len(at) + 1, b'%016x' % rng.getrandbits(64), table)


def picture(rng, size):
    def chunk(name, data):
        return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 1000, 1000, 8, 0, 0, 0, 0))
            + chunk(b'IDAT', rng.randbytes(size)) + chunk(b'IEND', b''))


def words(rng, size):
    """Text that is rich in label words, without a digit: it must not be dear."""
    some = WORDS['en'] + ['address', 'address', 'billing', 'customer']
    lines, n = [], 0
    while n < size:
        lines.append(' '.join(rng.choice(some) for _ in range(10)))
        n += len(lines[-1]) + 1
    return '\n'.join(lines) + '\n'


SAME = pdf(random.Random('same'))


def plain(rng, text):
    return mail(rng, 'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nCustomer number: C-10001\n' + text
                + 'With kind regards, and this is letter ' + SERIAL + '\n')


CASES = {
    '4k': (16, lambda rng: mail(rng, alternative(*bodies(rng, 3300)))),
    'pdf': (64, lambda rng: with_file(rng, numbered(pdf(rng), b'%'), 'application/pdf', 'invoice.pdf')),
    'same-pdf': (16, lambda rng: with_file(rng, SAME, 'application/pdf', 'invoice.pdf')),
    'picture': (4, lambda rng: with_file(rng, picture(rng, 1430000), 'image/png', 'photo.png')),
    'prose': (4, lambda rng: plain(rng, prose(rng, 2000000))),
    'words': (4, lambda rng: plain(rng, words(rng, 2000000))),
}


def write(folder, case, count=0):
    """Paths of the mails of a case; its usual number of them, or as many as that."""
    usual, make = CASES[case]
    paths = []
    for i in range(count or usual):
        paths.append('%s/%s-%02d.eml' % (folder, case, i))
        with open(paths[-1], 'w', encoding='utf-8', newline='') as f:
            f.write(make(random.Random('%s %d' % (case, i))).replace('\n', '\r\n'))
    return paths
