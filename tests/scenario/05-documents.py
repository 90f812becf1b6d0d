"""Attachments, end to end: the right ones arrive, the wrong, the scanned and the locked do not."""
import base64
import io
import subprocess
import zipfile

from rig import *

tap = Tap()
S = scratch_folder()
POLICIES = '''
policy "documents" {
	sender   = {"billing@seller.example"}
	require  = {"customer-number"}
	tolerate = {"signature"}
}
'''
m = Missent(S, policies=POLICIES, mapping=MAPPING)
m.start()
p = Postfix(S, 'unix:' + m.socket)
p.start()
RIGHT_TEXT = 'Customer number: C-10001'
WRONG_TEXT = 'Customer number: C-10002'
LONG = ' thank you for your order of twelve chairs and a table, kindly pay within fourteen days net'


def pdf(objects, catalog='', page=''):
    head = ('%PDF-1.5\n1 0 obj<</Type/Catalog/Pages 2 0 R ' + catalog + '>>endobj\n'
            '2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n'
            '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R' + page +
            '>>endobj\n')
    return head.encode('latin-1') + objects + b'trailer<</Root 1 0 R>>\n'


def text_pdf(text, more=b'', catalog=''):
    stream = 'BT /F 18 Tf 40 700 Td (%s) Tj ET' % text
    return pdf(b'4 0 obj<</Length %d>>stream\n%s\nendstream endobj\n'
               b'5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n'
               % (len(stream), stream.encode()) + more, catalog,
               '/Resources<</Font<</F 5 0 R>>>>')


def scanned_pdf(text):
    """The same page as a picture, as a scanner makes it."""
    with open(S + '/page.pdf', 'wb') as f:
        f.write(text_pdf(text))
    pgm = subprocess.run(['pdftoppm', '-r', '150', '-gray', S + '/page.pdf'], check=True,
                         stdout=subprocess.PIPE).stdout
    _, size, _, pixels = pgm.split(b'\n', 3)
    w, h = map(int, size.split())
    stream = b'q 595 0 0 842 0 0 cm /I Do Q'
    return pdf(b'4 0 obj<</Length %d>>stream\n%s\nendstream endobj\n6 0 obj<</Type/XObject'
               b'/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceGray'
               b'/Length %d>>stream\n' % (len(stream), stream, w, h, len(pixels)) + pixels +
               b'\nendstream endobj\n', page='/Resources<</XObject<</I 6 0 R>>>>')


def locked_pdf(text, password):
    with open(S + '/open.pdf', 'wb') as f:
        f.write(text_pdf(text))
    subprocess.run(['qpdf', '--warning-exit-0', '--encrypt', password, 'owner', '256', '--',
                    S + '/open.pdf', S + '/locked.pdf'], check=True, stderr=subprocess.DEVNULL)
    with open(S + '/locked.pdf', 'rb') as f:
        return f.read()


def invoice(customer):
    return ('<?xml version="1.0"?><rsm:CrossIndustryInvoice xmlns:rsm="a" xmlns:ram="b">'
            '<rsm:ExchangedDocument><ram:ID>X-1</ram:ID></rsm:ExchangedDocument>'
            '<rsm:SupplyChainTradeTransaction><ram:ApplicableHeaderTradeAgreement>'
            '<ram:BuyerTradeParty><ram:ID>%s</ram:ID><ram:Name>Company of %s</ram:Name>'
            '<ram:PostalTradeAddress><ram:LineOne>Sandweg 77</ram:LineOne><ram:CityName>Ulmen'
            '</ram:CityName></ram:PostalTradeAddress></ram:BuyerTradeParty>'
            '</ram:ApplicableHeaderTradeAgreement></rsm:SupplyChainTradeTransaction>'
            '</rsm:CrossIndustryInvoice>' % (customer, customer))


def factur_x(text, customer):
    xml = invoice(customer).encode()
    more = (b'6 0 obj<</Type/Filespec/F(f.xml)/UF(f.xml)/EF<</F 7 0 R>>>>endobj\n'
            b'7 0 obj<</Type/EmbeddedFile/Length %d>>stream\n%s\nendstream endobj\n' % (len(xml), xml))
    return text_pdf(text, more, '/Names<</EmbeddedFiles<</Names[(f.xml) 6 0 R]>>>>')


def packed(name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr(name, data)
    return out.getvalue()


def docx(text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('[Content_Types].xml', '<Types/>')
        z.writestr('word/document.xml', '<w:document xmlns:w="u"><w:p><w:r><w:t>' +
                   '</w:t></w:r><w:r><w:t>'.join(text) + '</w:t></w:r></w:p></w:document>')
    return out.getvalue()


def mail(subject, data, name='document', kind='application/octet-stream', text='See attached.', more=''):
    body = ('--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b\r\nContent-Type: %s\r\n'
            'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="%s"\r\n'
            '\r\n%s--b--\r\n' % (text, kind, name, base64.encodebytes(data).decode().replace(
                '\n', '\r\n')))
    return message(subject, body, more=more + 'MIME-Version: 1.0\r\n'
                   'Content-Type: multipart/mixed; boundary=b\r\n')


WHERE = ''  # is in the subject of each mail


def arrives(what, data, **more):
    r = p.send(mail(WHERE + what, data, **more))
    tap.same(p.arrived(WHERE + what), 1, WHERE + what + ': delivered')
    return r


def held(what, data, reason, **more):
    r = p.send(mail(WHERE + what, data, **more))
    out = m.tool('held', 'show', queue_id(r))
    tap.ok(queue_id(r) in p.held() and reason in out, '%s: held, %s' % (WHERE + what, reason), (r, out))


def reload(settings):
    m.reader = settings
    m.write_conf()
    mark = m.mark()
    m.signal(signal.SIGUSR1)
    return tap.ok(wait_for(lambda: 'reloaded' in m.tail(mark), 60), WHERE + settings.strip() + ' is taken', m.tail(mark))


def documents():
    arrives('PDF of the customer', text_pdf(RIGHT_TEXT), kind='application/pdf', name='invoice.pdf')
    held('PDF of another', text_pdf(WRONG_TEXT), 'mismatch', kind='application/pdf', name='invoice.pdf')
    held('PDF that says it is a picture', text_pdf(WRONG_TEXT), 'mismatch', kind='image/png', name='a.png')
    arrives('e-invoice of the customer', invoice('C-10001').encode(), name='a.xml')
    held('e-invoice of another', invoice('C-10002').encode(), 'BT-46', name='a.xml')
    arrives('Factur-X of the customer', factur_x(RIGHT_TEXT + LONG, 'C-10001'))
    held('Factur-X with the XML of another', factur_x(RIGHT_TEXT + LONG, 'C-10002'), 'mismatch')
    held('Factur-X whose XML nobody knows', factur_x(RIGHT_TEXT + LONG, 'D-99999'), 'contradiction')
    held('the mail names one, the PDF nobody known', text_pdf('Customer number: D-88888'), 'contradiction',
         text=RIGHT_TEXT)
    arrives('Word file of the customer', docx(RIGHT_TEXT), more='Cc: =?ISO-8859-15?Q?J=FCrgen?= <j@seller.example>\r\n'
            'Reply-To: =?ISO-2022-KR?B?GyQpQw4bJA==?= <k@seller.example>, =?KOI8-R?B?7cnI?= <m@seller.example>\r\n')
    held('Word file of another, letter by letter', docx(WRONG_TEXT), 'mismatch')
    held('PDF in a ZIP in a ZIP', packed('a.zip', packed('b.pdf', text_pdf(WRONG_TEXT))), 'mismatch')
    held('scanned invoice', scanned_pdf(RIGHT_TEXT), 'image-only')
    held('PGP', b'-----BEGIN PGP MESSAGE-----\n\nhQEM\n', 'encrypted', text=RIGHT_TEXT)
    arrives('PDF that only its owner may print', locked_pdf(RIGHT_TEXT, ''))
    held('PDF with a password', locked_pdf(RIGHT_TEXT, 'sesame'), 'password')
    reload('passwords = {"guess", "sesame"}\n')
    arrives('PDF with a password that is listed', locked_pdf(RIGHT_TEXT, 'sesame'))
    held('PDF of another with that password', locked_pdf(WRONG_TEXT, 'sesame'), 'mismatch')
    if os.path.exists(BUILD + '/missent-ocr'):
        reload('ocr = yes\nocr-program = "%s/missent-ocr"\n' % BUILD)
        arrives('recognised invoice of the customer', scanned_pdf(RIGHT_TEXT))
        held('recognised invoice of another', scanned_pdf(WRONG_TEXT), 'recognised')
    else:
        tap.skip('ocr', 'missent-ocr is not built: tesseract is missing')


documents()
m.stop()
# Kernels before 5.13, and many containers: there a worker that opens any file is killed.
m.reader = ''
m.write_conf()
m.start([BUILD + '/tests/tools/without-landlock'])
WHERE = 'without Landlock: '
documents()
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
