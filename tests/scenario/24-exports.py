"""Customers as other programs export them: taken as they are by the command line, and what is no export of customers
is refused whole."""
import gzip
import io
import zipfile

from rig import *

tap = Tap()
S = scratch_folder()
m = Missent(S, policies='''
policy "all" {
	sender  = {"billing@seller.example"}
	kinds   = {"customer-number", "vat-id", "iban", "phone", "billing-address", "email", "company-registration"}
	require = {"customer-number", "vat-id", "iban", "phone", "billing-address", "company-registration"}
}
''')
BASE = [('AC-1', 'recipient', 'kunde@alpha.example'), ('AC-1', 'customer-number', 'C-10001')]


def put(name, data):
    with open(S + '/' + name, 'wb') as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return S + '/' + name


def generation():
    return re.search(r'^generation\s+(\S+)', m.tool('directory', 'stats'), re.M).group(1)


def load(path, *options):
    out = m.tool('directory', 'import', '--max-shrink', '100', *options, path)
    return m.code, out


def verdict(text, to):
    mail = message('Invoice', text, to=to)
    out = m.tool('check', '--to', to, '-', stdin=mail)
    return re.search(r'\b(hold|deliver|tempfail)\b', out).group(1) if out else out


# ---- what is an export ----
# name, options, bytes, and what is known then: text, whose address, whose not
HEAD_DATEV = 'Konto;Name (Adressattyp Unternehmen);EU-Mitgliedstaat/USt-IdNr.;Straße;Postleitzahl;Ort;Telefon;E-Mail;IBAN-Nr. 1\r\n'
ROWS_DATEV = ('10001;"Müller & Söhne ""Alpha"" GmbH";DE136695976;Hauptstraße 5;10115;Berlin;+49 30 901820;kunde@alpha.example;DE89370400440532013000\r\n'
              '10002;Bäckerei Ölmann;;Am Weg 1;80331;München;;info@beta.example;\r\n')
MAP_DATEV = ('--map', 'EU-Mitgliedstaat/USt-IdNr.=vat-id,Telefon=phone,E-Mail=recipient,IBAN-Nr. 1=iban,Konto=customer-number',
             '--account', 'Konto')
SALESFORCE = ('"Id","Name","BillingStreet","BillingPostalCode","Email__c","VAT__c"\n'
              '"0015Y00002abcdeQAA","Alpha, Inc.","Hauptstr. 5\n10115 Berlin","10115","kunde@alpha.example","FR40303265045"\n'
              '"0015Y00002abcdfQAA","Beta ""B"" Ltd","Teststr. 9\n20095 Hamburg","20095","a@beta.example;b@beta.example",""\n')
SAP = 'Debitor\tName 1\tUSt-IdNr.\tE-Mail-Adresse\r\n0000100001\tAlpha\tDE136695976\tkunde@alpha.example\r\n0000100002\tBeta\t\ta@beta.example\r\n'
TALL = ('Kind,Value,Account,Since\ncustomer-number,C-10001,AC-1,2019-05-01\nrecipient,kunde@alpha.example,AC-1,\n'
        'recipient,a@beta.example,AC-2,\n')
GOOD = [
    ('DATEV, Windows-1252, semicolons', MAP_DATEV, (HEAD_DATEV + ROWS_DATEV).encode('cp1252'),
     'VAT ID: DE136695976\n', 'kunde@alpha.example', 'info@beta.example'),
    ('Excel, UTF-8 with a mark', MAP_DATEV, (HEAD_DATEV + ROWS_DATEV).encode('utf-8-sig'),
     'IBAN DE89 3704 0044 0532 0130 00\n', 'kunde@alpha.example', 'info@beta.example'),
    ('Salesforce, quoted, with line ends in cells', ('--map', 'BillingStreet=billing-address,Email__c=recipient,VAT__c=vat-id',
     '--account', 'Id'), SALESFORCE, 'VAT ID: FR40303265045\nHauptstr. 5, 10115 Berlin\n', 'kunde@alpha.example', 'b@beta.example'),
    ('SAP, tabulators, UTF-16 little-endian', ('--map', 'USt-IdNr.=vat-id,E-Mail-Adresse=recipient', '--account', 'Debitor'),
     b'\xff\xfe' + SAP.encode('utf-16-le'), 'VAT ID: DE136695976\n', 'kunde@alpha.example', 'a@beta.example'),
    ('SAP, UTF-16 big-endian', ('--map', 'USt-IdNr.=vat-id,E-Mail-Adresse=recipient', '--account', 'Debitor'),
     b'\xfe\xff' + SAP.encode('utf-16-be'), 'VAT ID: DE136695976\n', 'kunde@alpha.example', 'a@beta.example'),
    ('columns in another order, one more', (), TALL, 'customer number: C-10001\n', 'kunde@alpha.example', 'a@beta.example'),
    ('the same with bars', (), TALL.replace(',', '|'), 'customer number: C-10001\n', 'kunde@alpha.example', 'a@beta.example'),
    ('a database\'s, with NULL', ('--map', 'vat=vat-id,mail=recipient', '--account', 'id'),
     'id\tvat\tmail\n1\tDE136695976\tkunde@alpha.example\n2\tNULL\ta@beta.example\n',
     'VAT ID: DE136695976\n', 'kunde@alpha.example', 'a@beta.example'),
    ('carriage returns alone', (), TALL.replace('\n', '\r'), 'customer number: C-10001\n', 'kunde@alpha.example', 'a@beta.example'),
    ('no-break spaces around', (), TALL.replace(',', '\u00a0,\u00a0'), 'customer number: C-10001\n', 'kunde@alpha.example', 'a@beta.example'),
    ('no line end at the end', (), TALL.rstrip('\n'), 'customer number: C-10001\n', 'kunde@alpha.example', 'a@beta.example'),
]
for name, options, data, text, own, other in GOOD:
    m.load(BASE)
    code, out = load(put('good.csv', data), *options)
    tap.ok(code == 0 and ' 0 bad' in out, name + ': is imported', out)
    tap.same(verdict(text, own), 'deliver', '... its customer may get it')
    tap.same(verdict(text, other), 'hold', '... and another may not')

# ---- what is none ----
m.load(BASE)
text = ''.join('AC-%d,customer-number,C-%d\n' % (i, 20000 + i) for i in range(400))
archive = io.BytesIO()
with zipfile.ZipFile(archive, 'w') as z:
    z.writestr('xl/worksheets/sheet1.xml', '<worksheet/>')
WRONG_ONES = [
    ('an empty file', (), ''),
    ('a heading alone', (), 'account,kind,value\n'),
    ('the login page of the billing system', (), '<!DOCTYPE html>\n<html><head><title>Login</title></head>\n<body>\n<form>\n' * 3),
    ('an error of the database', (), "ERROR 1045 (28000): Access denied for user 'export'@'localhost' (using password: YES)\n"),
    ('JSON that ends in its middle', (), '[{"account": "AC-1", "kind": "customer-number", "value": "C-10001"}\n'),
    ('a workbook', (), archive.getvalue()),
    ('what was compressed', (), gzip.compress(text.encode())),
    ('zeros, as of a disk that was full', (), b'\0' * 8192),
    ('a quote that is not closed', (), text + 'AC-9,customer-number,"C-777\n' + text),
    ('numbers that a spreadsheet has spoilt', (), 'account,kind,value\n' + ''.join(
        'AC-%d,customer-number,"1,%02dE+05"\n' % (i, i) for i in range(50))),
    ('formulas that failed', (), 'account,kind,value\n' + 'AC-1,customer-number,#REF!\n' * 50),
    ('columns that were moved by one', MAP_DATEV, (HEAD_DATEV + ''.join(
        ';%d;Firma;DE136695976;Hauptstraße 5;10115;Berlin;+49 30 901820;kunde@alpha.example\r\n' % i for i in range(50))).encode('cp1252')),
    ('a column that is not there', ('--map', 'E-Mail=recipient,VAT=vat-id', '--account', 'Konto'),
     (HEAD_DATEV + ROWS_DATEV).encode('cp1252')),
    ('an account column that is not there', ('--map', 'E-Mail=recipient', '--account', 'Kunde'),
     (HEAD_DATEV + ROWS_DATEV).encode('cp1252')),
    ('kinds that nobody knows', (), ''.join('AC-%d,kundennummer,C-%d\n' % (i, 20000 + i) for i in range(50))),
    ('half a character at the end of UTF-16', ('--map', 'USt-IdNr.=vat-id,E-Mail-Adresse=recipient', '--account', 'Debitor'),
     b'\xff\xfe' + SAP.encode('utf-16-le')[:-1]),
    ('an encoding that it has not', ('--encoding', 'utf-8'), b'account,kind,value\nAC-1,recipient,m\xfcller@alpha.example\n' * 20),
    ('another delimiter than is said', ('--delimiter', ';'), 'account,kind,value\n' + text),
    ('a hundredth and more of bad lines', (), text + 'AC-1,iban,DE00\n' * 9),
]
before = generation()
for name, options, data in WRONG_ONES:
    code, out = load(put('wrong.csv', data), *options)
    tap.ok(code != 0, name + ': is refused', out)
    tap.ok(generation() == before and 'Assert' not in out, '... and nothing of it is loaded', out)
code, out = m.tool('directory', 'import', put('less.csv', 'AC-1,customer-number,C-10001\n')), m.code
tap.ok(out != 0 and 'shrink' in code, 'a file of half of the customers is refused', code)
tap.same(generation(), before, '... and nothing of it is loaded')
tap.same(m.tool('directory', 'verify').strip().endswith('0 wrong'), True, 'what was in use is whole')
tap.done()
