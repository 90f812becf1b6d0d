"""Mails: header fields, parameters, what is around parts, and parts in all encodings."""
import base64
import binascii
import quopri
import re

from .common import letters


def encoded_words(v, how='b'):
    if how == 'b':
        return '=?utf-8?B?%s?=' % base64.b64encode(v.encode()).decode()
    return '=?utf-8?Q?%s?=' % ''.join('=%02X' % b for b in v.encode())


def uuencoded(data):
    lines = [binascii.b2a_uu(data[i:i + 45]).decode() for i in range(0, len(data), 45)]
    return 'begin 644 note.txt\n%s`\nend\n' % ''.join(lines)


def crlf(text):
    return text.replace('\r\n', '\n').replace('\n', '\r\n')


# header fields that a mail may have besides its own
FIELDS = ['X-Customer', 'Comments', 'Keywords', 'Reply-To', 'Cc', 'Bcc', 'Sender', 'References', 'In-Reply-To',
          'Message-ID', 'Organization', 'X-Mailer', 'User-Agent', 'List-Unsubscribe', 'List-Id', 'Thread-Topic',
          'Thread-Index', 'Received', 'Return-Path', 'DKIM-Signature', 'Authentication-Results', 'Resent-To',
          'Disposition-Notification-To', 'Errors-To', 'Face', 'X-MSMail-Priority', 'Content-Language',
          'Content-Description', 'Content-ID', 'Content-Location', 'Content-MD5', 'Content-Base', 'MIME-Version',
          'Feedback-ID', 'X-Originating-IP', 'Importance', 'Date', 'Autocrypt', 'ARC-Seal', 'X-Spam-Status', 'Delivered-To']
DISPLAY = ['"%s" <a@b.example>', 'a@b.example (%s)', '<a@b.example>, %s <c@d.example>', 'group %s: a@b.example;']

# new parts: name, header, body, whether the body is coded
PARTS = [
    ('text', 'Content-Type: text/plain', '%s'),
    ('text of no type', '', '%s'),
    ('text, no end of the header', 'Content-Type: text/plain', '%s'),
    ('HTML', 'Content-Type: text/html', '<p>%s</p>'),
    ('HTML comment', 'Content-Type: text/html', '<p>x</p><!-- %s -->'),
    ('unknown text', 'Content-Type: text/x-zz', '%s'),
    ('unknown application', 'Content-Type: application/x-zz', '%s'),
    ('octets', 'Content-Type: application/octet-stream', '%s'),
    ('wrong type', 'Content-Type: zz', '%s'),
    ('attached mail', 'Content-Type: message/rfc822', 'From: a@b.example\nSubject: %s\n\nHello\n'),
    ('attached mail, body', 'Content-Type: message/rfc822', 'From: a@b.example\nSubject: x\n\n%s\n'),
    ('attached mail of no type', 'Content-Type: application/octet-stream; name="a.eml"', 'From: a@b.example\nSubject: x\n\n%s\n'),
    ('attached header', 'Content-Type: text/rfc822-headers', 'From: a@b.example\nSubject: %s\n'),
    ('delivery status', 'Content-Type: message/delivery-status', 'Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; %s\n'),
    ('fragment', 'Content-Type: message/partial; id=a; number=1', 'Subject: %s\n\nx\n'),
    ('external body', 'Content-Type: message/external-body; access-type=url; URL="http://h.example/%s"', 'Content-Type: text/plain\n\n'),
    ('labelled as picture', 'Content-Type: image/png; name="a.png"', '%s'),
    ('labelled as signature', 'Content-Type: application/pgp-signature', '%s'),
    ('labelled as S/MIME signature', 'Content-Type: application/pkcs7-signature; name=smime.p7s', '%s'),
    ('calendar', 'Content-Type: text/calendar', 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:%s\nEND:VEVENT\nEND:VCALENDAR'),
    ('card', 'Content-Type: text/vcard', 'BEGIN:VCARD\nVERSION:2.1\nN:%s\nEND:VCARD'),
    ('enriched', 'Content-Type: text/enriched', '<bold>%s</bold>'),
    ('CSV', 'Content-Type: text/csv', 'a;b\n%s;2\n'),
    ('JSON', 'Content-Type: application/json', '{"a":"%s"}'),
    ('XML', 'Content-Type: application/xml', '<a b="%s"/>'),
    ('LDIF', 'Content-Type: text/ldif', 'dn: cn=a\ncn: %s\n'),
    ('mbox', 'Content-Type: application/mbox', 'From a@b Mon Jan  1 00:00:00 2024\nFrom: a@b.example\nSubject: x\n\n%s\n'),
    ('nested multipart', 'Content-Type: multipart/mixed; boundary=q', '--q\nContent-Type: text/plain\n\n%s\n--q--\n'),
    ('nested preamble', 'Content-Type: multipart/mixed; boundary=q', '%s\n--q\nContent-Type: text/plain\n\nx\n--q--\n'),
    ('nested epilogue', 'Content-Type: multipart/mixed; boundary=q', '--q\nContent-Type: text/plain\n\nx\n--q--\n%s\n'),
    ('multipart without its parts', 'Content-Type: multipart/mixed; boundary=q', '%s\n'),
    ('multipart without boundary', 'Content-Type: multipart/mixed', '%s\n'),
    ('file name', 'Content-Type: application/pdf; name="a %s.pdf"', 'x'),
    ('file name of the disposition', 'Content-Type: text/plain\nContent-Disposition: attachment; filename="a %s.txt"', 'x'),
    ('description', 'Content-Type: text/plain\nContent-Description: %s', 'x'),
    ('field Content-ID', 'Content-Type: text/plain\nContent-ID: <%s@a>', 'x'),
    ('location', 'Content-Type: text/plain\nContent-Location: http://h.example/%s', 'x'),
    ('unknown field', 'Content-Type: text/plain\nX-Note: %s', 'x'),
    ('comment in a field', 'Content-Type: text/plain (%s)', 'x'),
    ('unknown parameter', 'Content-Type: text/plain; zz="%s"', 'x'),
    ('parameter charset', 'Content-Type: text/plain; charset="%s"', 'x'),
    ('encoding', 'Content-Type: text/plain\nContent-Transfer-Encoding: %s', 'x'),
    ('type itself', 'Content-Type: x/%s', 'x'),
    ('parameter creation-date', 'Content-Type: text/plain\nContent-Disposition: attachment; filename=a; creation-date="%s"', 'x'),
]


class Mail:
    def __init__(self, places, data):
        self.places, self.rng = places, places.rng
        text = data.decode('latin-1')
        self.end = '\r\n' if '\r\n' in text[:2000] else '\n'
        head, blank, self.body = text.partition(self.end * 2)
        self.head, self.blank = head.split(self.end), blank or self.end * 2

    def write(self, head=None, body=None):
        head, body = head if head is not None else self.head, self.body if body is None else body
        return (self.end.join(head) + self.blank + body).encode('latin-1', 'replace')

    def latin(self, v):
        """UTF-8 bytes as letters of Latin-1, as `write` takes them."""
        return v.encode().decode('latin-1')

    def add(self, name, make, plain=False):
        self.places.add(name, make, plain)

    def field_spans(self):
        spans, start = [], 0
        for i in range(1, len(self.head) + 1):
            if i == len(self.head) or not self.head[i][:1].isspace():
                spans.append((start, i))
                start = i
        return spans

    def fields(self):
        for start, end in self.field_spans():
            line = self.head[start]
            if ':' not in line:
                continue
            name = line.split(':')[0].strip()
            if name.lower() in ('to', 'cc', 'bcc', 'content-type', 'content-transfer-encoding'):
                continue

            def with_(value, start=start, end=end, name=name):
                return self.write(self.head[:start] + ['%s: %s' % (name, value)] + self.head[end:])
            old = ' '.join(x.strip() for x in [line.partition(':')[2]] + self.head[start + 1:end])
            self.add('field %s' % name, lambda v, w=with_, old=old: w(old + ' ' + self.latin(v)))
            self.add('field %s' % name, lambda v, w=with_: w(encoded_words(v, self.rng.choice('bq'))))
            if name.lower() in ('from', 'reply-to', 'sender'):
                for form in DISPLAY:
                    self.add('display name of %s' % name, lambda v, w=with_, f=form: w(f % self.latin(v)))

    def new_fields(self):
        for name in FIELDS:
            self.add('new field %s' % name, lambda v, n=name: self.write(self.head + ['%s: %s' % (n, self.latin(v))]))
            self.add('new field %s' % name, lambda v, n=name: self.write(
                ['%s: %s' % (n, encoded_words(v, self.rng.choice('bq')))] + self.head))
        for name in ('To', 'Cc', 'Reply-To', 'From', 'Resent-From'):
            for form in DISPLAY:
                self.add('new display name of %s' % name, lambda v, n=name, f=form: self.write(
                    self.head + ['%s: %s' % (n, f % self.latin(v))]))
        self.add('folded field', lambda v: self.write(self.head + ['X-Note: a', ' ' + self.latin(v)]))
        self.add('name of a field', lambda v: self.write(self.head + ['X-%s: a' % letters(v)]), plain=True)
        self.add('line in the header that is no field', lambda v: self.write(self.head + [self.latin(v)]))
        self.add('field in two encoded words', lambda v: self.write(self.head + [
            'X-Note: %s', ' %s'][:0] + ['X-Note: %s %s' % (encoded_words(v[:5]), encoded_words(v[5:]))]))
        self.add('From line before', lambda v: self.write(['From a@b %s' % self.latin(v)] + self.head))

    def boundary(self):
        head = self.end.join(self.head)
        m = re.search(r'^content-type:\s*multipart/[^;]*;.*?boundary\s*=\s*("([^"]*)"|[^\s;]+)', head, re.I | re.S | re.M)
        return m and (m.group(2) or m.group(1))

    def around_parts(self):
        b = self.boundary()
        if not b or '--' + b not in self.body:
            self.single()
            return
        mark = '--' + b
        starts = [m.start() for m in re.finditer(re.escape(mark), self.body)]
        last = self.body.rfind(mark + '--')
        self.add('preamble', lambda v: self.write(body=self.latin(v) + self.end + self.body))
        self.add('epilogue', lambda v: self.write(body=self.body + self.end + self.latin(v) + self.end))
        self.add('behind a boundary', lambda v: self.write(body=self.body[:starts[0] + len(mark)] + ' ' + self.latin(v)
                                                           + self.body[starts[0] + len(mark):]))
        self.add('no final boundary', lambda v: self.write(
            body=(self.body[:last] if last > 0 else self.body) + mark + self.end * 2 + self.latin(v)))
        if last > 0:
            self.add('behind the last boundary', lambda v: self.write(
                body=self.body[:last + len(mark) + 2] + ' ' + self.latin(v) + self.body[last + len(mark) + 2:]))
            self.add('part behind the last boundary', lambda v: self.write(
                body=self.body + self.end + mark + self.end * 2 + self.latin(v) + self.end + mark + '--' + self.end))
        at = last if last > 0 else len(self.body)
        self.new_parts(mark, at)
        self.old_parts(mark, starts)

    def old_parts(self, mark, starts):
        for i, start in enumerate(starts[:12]):
            stop = starts[i + 1] if i + 1 < len(starts) else len(self.body)
            part = self.body[start:stop]
            head, blank, body = part.partition(self.end * 2)
            if not blank or 'base64' in head.lower() or 'multipart' in head.lower() or not body.strip():
                continue
            at = start + len(head) + len(blank)
            self.add('text of a part', lambda v, at=at: self.write(
                body=self.body[:at] + self.quoted(self.latin(v), head) + self.end + self.body[at:]))
            self.add('field of a part', lambda v, at=start + len(head): self.write(
                body=self.body[:at] + self.end + 'X-Note: ' + self.latin(v) + self.body[at:]))

    def quoted(self, v, head):
        return quopri.encodestring(v.encode('latin-1')).decode() if 'quoted-printable' in head.lower() else v

    def coded(self, head, body, how):
        """A part in one of the transfer encodings."""
        raw = body.encode('latin-1')
        field = 'Content-Transfer-Encoding: ' + how
        if how == 'base64':
            text = base64.encodebytes(raw).decode()
        elif how == 'quoted-printable':
            text = ''.join('=%02X' % c if not 32 < c < 127 or c == 61 else chr(c) for c in raw)
            text = '=\n'.join(text[i:i + 60] for i in range(0, len(text), 60))
        elif how == 'x-uuencode':
            text = uuencoded(raw)
        elif how == 'base64 without padding':
            field, text = 'Content-Transfer-Encoding: base64', base64.b64encode(raw).decode().rstrip('=')
        elif how == 'base64 with blanks':
            field = 'Content-Transfer-Encoding: base64'
            text = ' '.join(base64.b64encode(raw).decode()[i:i + 3] for i in range(0, 4 * len(raw), 3))
        else:
            text = body
        return '%s\n%s\n\n%s' % (head, field, text) if head else '%s\n\n%s' % (field, text)

    def new_parts(self, mark, at):
        def with_part(text):
            return self.write(body=self.body[:at] + crlf('%s\n%s\n' % (mark, text)) + self.body[at:])
        for name, head, body in PARTS:
            self.add('new part: ' + name, lambda v, h=head, b=body: with_part('%s\n\n%s' % (
                h.replace('%s', self.latin(v)), b.replace('%s', self.latin(v))) if h else '\n' + b.replace('%s', self.latin(v))))
        for how in ('base64', 'quoted-printable', 'x-uuencode', '8bit', 'binary', 'zz', 'base64 without padding',
                    'base64 with blanks'):
            for name, head, body in PARTS[:9]:
                self.add('new part in %s: %s' % (how, name), lambda v, h=head, b=body, how=how: with_part(
                    self.coded(h, b.replace('%s', self.latin(v)), how)))
        self.parameters(with_part)
        self.add('new part: uuencode in text', lambda v: with_part(
            'Content-Type: text/plain\n\nHello\n\n' + uuencoded(v.encode())))
        self.add('new part: base64 in text', lambda v: with_part(
            'Content-Type: text/plain\n\n' + base64.b64encode(b'Number: ' + v.encode() + b' and more text').decode()))
        self.add('new part: base64 twice', lambda v: with_part(
            'Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n' + base64.encodebytes(
                base64.encodebytes(b'Content of the file: ' + v.encode())).decode()))
        for charset in ('utf-16', 'utf-16le', 'utf-7', 'utf-32', 'iso-8859-1', 'windows-1252', 'iso-2022-jp', 'cp037', 'x-zz'):
            self.add('new part: text in %s' % charset, lambda v, c=charset: with_part(
                'Content-Type: text/plain; charset=%s\nContent-Transfer-Encoding: base64\n\n%s' % (
                    c, base64.encodebytes(v.encode(c if c != 'x-zz' else 'utf-16', 'replace')).decode())))

    def parameters(self, with_part):
        forms = (
            ('name*', "Content-Type: text/plain; name*=utf-8''%s", lambda v: ''.join('%%%02X' % b for b in v.encode())),
            ('name*0', 'Content-Type: text/plain; name*0="%s"; name*1="x"', self.latin),
            ('name in encoded words', 'Content-Type: text/plain; name="%s"', encoded_words),
            ('filename*', "Content-Type: text/plain\nContent-Disposition: attachment; filename*=utf-8''%s",
             lambda v: ''.join('%%%02X' % b for b in v.encode())),
            ('filename in pieces', 'Content-Type: text/plain\nContent-Disposition: attachment; %s',
             lambda v: 'filename*0="%s"; filename*1="%s"' % (v[:6], v[6:])),
            ('filename and filename*', "Content-Type: text/plain\nContent-Disposition: attachment; filename=\"%s\"; filename*=utf-8''a.txt", self.latin),
            ('filename twice', 'Content-Type: text/plain\nContent-Disposition: attachment; filename="a"; filename="%s"', self.latin))
        for name, head, spell in forms:
            self.add('new part: ' + name, lambda v, h=head, s=spell: with_part(h.replace('%s', s(v)) + '\n\nx'))

    def single(self):
        how = self.end.join(self.head).lower()
        if 'base64' in how:
            return
        self.add('body, at its beginning', lambda v: self.write(body=self.latin(v) + self.end + self.body))
        self.add('body, at its end', lambda v: self.write(body=self.body + self.end + self.latin(v) + self.end))
        self.add('body, uuencode', lambda v: self.write(body=self.body + self.end + uuencoded(v.encode())))


def mail_places(places, data):
    mail = Mail(places, data)
    mail.fields()
    mail.new_fields()
    mail.around_parts()


def example():
    return (b'From: Billing <billing@seller.example>\r\nTo: max@buyer.example\r\nSubject: Invoice\r\n'
            b'Date: Tue, 1 Jul 2025 10:00:00 +0200\r\nMIME-Version: 1.0\r\n'
            b'Content-Type: multipart/mixed; boundary="=-a"\r\n\r\nThis is MIME.\r\n--=-a\r\n'
            b'Content-Type: text/plain; charset=utf-8\r\n\r\nDear customer,\r\nsee the file.\r\n--=-a\r\n'
            b'Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
            b'<p>Dear customer</p>\r\n--=-a--\r\n')
