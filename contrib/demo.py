"""A dozen mails through a private Postfix and missentd; run by contrib/quickstart."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../tests/scenario'))
from rig import *  # noqa: E402

SUBSCRIPTION = '6f1d2a33-0b64-4c02-9d7e-5a1f0c9b7e21'
DIRECTORY = [
    ('ALPHA', 'recipient', '@alpha.example'), ('ALPHA', 'customer-number', 'C-10001'),
    ('ALPHA', 'iban', 'DE89 3704 0044 0532 0130 00'), ('ALPHA', 'invoice-number', 'INV-2026-0417'),
    ('BETA', 'recipient', 'compta@beta.example'), ('BETA', 'customer-number', 'C-10002'),
    ('BETA', 'invoice-number', 'FA-2026-0418'),
    ('BETA', 'billing-address', '12 rue des Lilas, 69003 Lyon, FR'),
    ('GAMMA', 'recipient', 'admin@gamma.example'), ('GAMMA', 'subscription-id', SUBSCRIPTION),
    ('GAMMA', 'billing-address', '1 Market Street, 94105 San Francisco, US'),
    ('RESELLER', 'recipient', 'desk@reseller.example'), ('RESELLER', 'receives-for', 'GAMMA'),
    ('house', 'recipient', '@seller.example'), ('house', 'vat-id', 'DE136695976'),
    ('house', 'email', 'support@seller.example'),
]
POLICY = '''
policy "invoices" {
	sender  = {"billing@seller.example"}
	require = {"customer-number", "subscription-id"}
	max-accounts           = 1
	max-recipients         = 20
	max-visible-recipients = 10
}
policy "everybody" {
	kinds          = {"none"}
	max-recipients = 100
}
'''
FOOT = '\n\nSeller GmbH, VAT ID DE136695976, support@seller.example\n'
ALPHA = 'Dear customer,\n\nplease find your invoice INV-2026-0417.\n\nCustomer number: C-10001\n' \
    'We debit DE89 3704 0044 0532 0130 00: 119.00 EUR' + FOOT
BETA = 'Madame, Monsieur,\n\nvotre facture n° FA-2026-0418 est disponible.\n\n' \
    'N° de client : C-10002\nAdresse de facturation : 12 rue des Lilas, 69003 Lyon, FR\n' \
    'Montant : 240,00 EUR' + FOOT
CLOUD = 'Your subscription %s was billed.\n\nAdministrator: admin@gamma.example\n' \
    'Billing address: 1 Market Street, 94105 San Francisco, US\nAmount: 1,240.00 USD' % SUBSCRIPTION + FOOT
HTML = '<html><body><p>Votre facture <b>FA-2026-</b><span>0418</span></p><table><tr>' \
    '<td>N&deg; de client</td><td>C-100<wbr>02</td></tr></table></body></html>\n'
BILLING = 'billing@seller.example'
FORTY = ['user%02d@customer%02d.example' % (i, i) for i in range(40)]
NOTE = 'The office is closed on Monday.\n'
HTML_TYPE = 'MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n'
UTF8 = 'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n'


# what, sender, recipients, body, more headers
MAILS = [
    ('right invoice', BILLING, ['anna@alpha.example'], ALPHA, UTF8),
    ('right invoice, in French', BILLING, ['compta@beta.example'], BETA, UTF8),
    ('right invoice, as HTML', BILLING, ['compta@beta.example'], HTML, HTML_TYPE),
    ('swapped: BETA gets the invoice of ALPHA', BILLING, ['compta@beta.example'], ALPHA, UTF8),
    ('swapped, in French', BILLING, ['anna@alpha.example'], BETA, UTF8),
    ('swapped, split by HTML tags', BILLING, ['anna@alpha.example'], HTML, HTML_TYPE),
    ('right invoice, as PDF', BILLING, ['anna@alpha.example'], pdf('Customer number: C-10001'), MIXED),
    ('swapped, as PDF', BILLING, ['compta@beta.example'], pdf('Customer number: C-10001'), MIXED),
    ('subscription invoice to its administrator', BILLING, ['admin@gamma.example'], CLOUD, UTF8),
    ('subscription invoice to its reseller', BILLING, ['desk@reseller.example'], CLOUD, UTF8),
    ('subscription invoice to forty others, all visible', BILLING, FORTY, CLOUD, UTF8),
    ('internal copy', BILLING, ['archive@seller.example'], BETA, UTF8),
    ('no identifier, from billing', BILLING, ['anna@alpha.example'], NOTE, UTF8),
    ('no identifier, from a person', 'boss@seller.example', ['anna@alpha.example'], NOTE, UTF8),
    ('encrypted attachment', BILLING, ['anna@alpha.example'],
     '--b\n\n' + ALPHA + '\n--b\nContent-Type: application/pkcs7-mime\n\nxx\n--b--\n',
     MIXED),
]


def review(missent, postfix):
    """The page, to look at, until Enter is pressed, or without a terminal until it is interrupted."""
    missent.more = postfix.settings() + postfix.desk() + 'review {\nuser = "%s"\nlisten = "127.0.0.1:8025"\n}\n' % USER
    missent.write_conf()
    missent.tool('review', 'adduser', 'demo', '--role', 'administrator', '--download', stdin='demo password\n')
    agent = Program(missent, 'missent-agent', '-r').start()
    page = Program(missent, 'missent-review').start()
    print('The review page: http://127.0.0.1:8025/ , name "demo", password "demo password".  Enter ends it.', flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        if not sys.stdin.readline():
            signal.pause()
    page.stop()
    agent.stop()


def main():
    if os.geteuid() != 0:
        sys.exit('Postfix starts only as root: run contrib/quickstart as root.')
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # takes everything down
    scratch = scratch_folder()
    missent = Missent(scratch, policies=POLICY, mapping=DIRECTORY)
    missent.start()
    postfix = Postfix(scratch, 'unix:' + missent.socket)
    postfix.start()
    missent.more = 'postfix-config = "%s"\nrelease-program = "%s/missent-release"\n' % (
        postfix.etc, BUILD)
    missent.write_conf()
    print('A private Postfix with missentd, %d entries in the directory.\n' % len(DIRECTORY))
    sent = []
    for what, sender, to, body, more in MAILS:
        code, reply = postfix.send(message(what, body, to=', '.join(to), sender=sender, more=more),
                                   to=to, sender=sender)
        sent.append((what, to, code, reply))
    wait_for(lambda: len(postfix.delivered()) + len(postfix.held()) >= len(MAILS))
    held = {m['queue_id']: m for m in map(json.loads, missent.tool(
        'held', 'list', '--json').splitlines())}
    for what, to, code, reply in sent:
        record = held.get(queue_id((code, reply)))
        whom = to[0] if len(to) == 1 else '%d recipients' % len(to)
        if record:
            print('HELD       %-52s to %s\n           because: %s' % (what, whom, record['reasons']))
        elif code == 250 and postfix.arrived('Subject: %s\n' % what, seconds=5):
            print('delivered  %-52s to %s' % (what, whom))
        else:
            print('%d        %-52s to %s: %s' % (code, what, whom, reply))
    swapped = [queue_id(s[2:]) for s in sent if s[0].startswith('swapped: ')]
    print('\n$ missent held show %s' % swapped[0])
    print(missent.tool('held', 'show', swapped[0]))
    if '--review' in sys.argv:
        review(missent, postfix)
    print('Taken down again.  Your own Postfix: README.md, "The first hour".')
    missent.stop()
    postfix.stop()


main()
