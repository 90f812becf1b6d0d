"""Every verdict, end to end, on Postfix and on Sendmail: what the MTA does, what arrives, what is
written down."""
import os
import smtplib

from sendmail import *

tap = Tap()
S = scratch_folder()
policies = POLICY + action_policies('deliver', 'tag', 'hold', 'reject', 'tempfail')
m = Missent(S, policies=policies, mapping=MAPPING)
m.start()


def verdicts(p):
    tap.ok(True, '--- on %s ---' % p.kind)
    m.more = p.settings()
    m.mode = 'enforce'
    m.write_conf()
    m.write_policy(policies)
    mark = m.mark()
    m.signal(signal.SIGUSR1)
    wait_for(lambda: 'reloaded' in m.tail(mark))

    if p.kind == 'Postfix':
        # what would lose a signature on the way
        out = m.tool('config', 'check')
        # What is built, but not installed, has no set-user-ID bit: that it is told is right.
        warnings = [x for x in out.splitlines() if 'warning: ' in x and 'set-user-ID' not in x and 'mismatch-tagged' not in x]
        faults = [x for x in out.splitlines() if 'fault: ' in x]
        tap.ok(not warnings and not [x for x in faults if 'mismatch-delivered' not in x],
               'config check finds missent in main.cf, as the last', out)
        tap.ok(m.code == 1 and faults and ': 1 fault, ' in out, '... and that a policy lets out what it looks for', out)
        for value, word in (('unix:%s inet:127.0.0.1:1' % m.socket, 'missent is not the last: what inet:127.0.0.1:1 does'),
                            ('inet:127.0.0.1:1', 'is not judged')):
            subprocess.run(['postconf', '-c', p.etc, '-e', 'smtpd_milters=' + value])
            out = m.tool('config', 'check')
            tap.ok(word in out, '... and warns: ' + word, out)
        subprocess.run(['postconf', '-c', p.etc, '-e', 'smtpd_milters=unix:' + m.socket, 'enable_long_queue_ids=no'])
        tap.ok('enable_long_queue_ids' in m.tool('config', 'check'), '... and of queue IDs that come again')
        subprocess.run(['postconf', '-c', p.etc, '-e', 'enable_long_queue_ids=yes'])

    # right and wrong
    r = p.send(message('right one', RIGHT))
    tap.ok(r[0] == 250, 'a right message is taken', r)
    tap.same(p.arrived('right one'), 1, '... and delivered')
    r = p.send(message('wrong one', WRONG))
    tap.ok(r[0] == 250, 'a wrong message is taken', r)
    wrong = p.queue_id(r)
    tap.same(wait_for(p.held), [wrong], '... and is on hold')
    tap.same(p.arrived('wrong one', seconds=1), 0, '... and not delivered')
    if p.kind == 'Sendmail':
        tap.ok('missent: mismatch' in p.reasons(), 'mailq -qQ shows the reason', p.reasons())

    # each action
    for word in ('deliver', 'tag'):
        p.send(message('by ' + word, WRONG, sender=word + '@seller.example'),
               sender=word + '@seller.example')
        tap.same(p.arrived('by ' + word), 1, 'action %s delivers' % word)
    tagged = [x for x in p.delivered() if 'by tag' in x][0]
    tap.ok('X-Missent: tag; reasons="mismatch"' in tagged, 'the tag is in the header', tagged)
    tap.ok('X-Missent' not in [x for x in p.delivered() if 'by deliver' in x][0],
           'no header without the action tag')
    r = p.send(message('by reject', WRONG, sender='reject@seller.example'), sender='reject@seller.example')
    tap.ok(r[0] == 550 and '5.7.1' in r[1] and 'mismatch' in r[1], 'action reject answers 550', r)
    tap.ok(not tells(r[1]) and 'AC-2' not in r[1], '... without the other customer\'s data', r)
    r = p.send(message('by tempfail', WRONG, sender='tempfail@seller.example'),
               sender='tempfail@seller.example')
    tap.ok(r[0] == 451 and '4.7.1' in r[1], 'action tempfail answers 451', r)

    # two messages in one session, the first held
    with smtplib.SMTP('127.0.0.1', p.port) as smtp:
        a = p.send_on(smtp, message('session first', WRONG), ['kunde@alpha.example'])
        b = p.send_on(smtp, message('session second', RIGHT), ['kunde@alpha.example'])
    tap.ok(p.queue_id(a) in p.held(), 'in one session the first is held', a)
    tap.same(p.arrived('session second'), 1, '... and the second is delivered')
    with smtplib.SMTP('127.0.0.1', p.port) as smtp:
        smtp.ehlo()
        smtp.mail('billing@seller.example')
        smtp.rcpt('kunde@alpha.example')
        smtp.rset()
        c = p.send_on(smtp, message('after reset', WRONG, to='x@beta.example'), ['x@beta.example'])
    tap.same(p.arrived('after reset'), 1, 'after RSET the recipients of before do not count')
    if p.kind == 'Postfix':  # makes billing@seller.example of each, behind the filter
        for sender in ('b\\illing@seller.example', '@x.example:billing@seller.example',
                       '"billing@seller.example"', 'billing (c) @ seller.example', 'seller.example!billing'):
            with smtplib.SMTP('127.0.0.1', p.port) as smtp:
                smtp.ehlo()
                smtp.docmd('MAIL FROM:<%s>' % sender)
                smtp.rcpt('kunde@alpha.example')
                r = smtp.data(message('sender in another form', WRONG))
            tap.ok(p.queue_id((r[0], r[1].decode())) in p.held(), 'a wrong message from <%s> is on hold' % sender, r)

    # a sender that no policy covers
    p.send(message('other sender', WRONG, sender='ceo@seller.example'), sender='ceo@seller.example')
    tap.same(p.arrived('other sender'), 1, 'mail that no policy applies to is delivered')

    # per recipient, delegation, house
    r = p.send(message('two recipients', RIGHT), to=['kunde@alpha.example', 'a@beta.example'])
    two = p.queue_id(r)
    tap.ok(two in p.held(), 'one recipient without a right is enough for a hold', r)
    p.send(message('copy for us', WRONG), to=['archive@seller.example'])
    tap.same(p.arrived('copy for us'), 1, 'the house may receive everything')
    m.tool('directory', 'put', 'AC-R', 'recipient', 'desk@reseller.example')
    m.tool('directory', 'put', 'AC-R', 'receives-for', 'AC-2')
    p.send(message('for reseller', WRONG, to='desk@reseller.example'), to=['desk@reseller.example'])
    tap.same(p.arrived('for reseller'), 1, 'a reseller receives for its customer')
    r = p.send(message('another in To', WRONG), to=['desk@reseller.example'])
    tap.ok(p.queue_id(r) in p.held(), 'an address of another customer in To, who does not get it, is a hold', r)

    # the record
    out = m.tool('held', 'list')
    tap.ok(wrong in out and 'mismatch' in out, 'held list has it with its reason', out)
    tap.ok(re.search(two + r' .* a@beta\.example +2 ', out), '... of several recipients with the one for whom it is wrong', out)
    out = m.tool('held', 'list', '--recipient', 'a@beta.example')
    tap.same(out.find('reasons'), 80, '... in columns as wide as what is in them')
    out = m.tool('held', 'show', wrong)
    tap.ok('AC-2' in out and 'part 1 text/plain' in out and 'customer-number' in out,
           'held show says whose, what and where', out)
    tap.ok(not tells(out), '... and shows the identifier masked', out)
    out = m.tool('held', 'list', '--reason', 'oversized')
    tap.ok(wrong not in out, 'a filter by reason leaves it out', out)
    out = m.tool('held', 'list', '--sender', 'BILLING', '--policy', 'invoices', '--newer', '1h')
    tap.ok(wrong in out, 'filters by sender, policy and age find it', out)
    for words, found in (('C-10002', True), ('c 10002', True), (wrong, True), ('AC-2', True), ('C-10003', False)):
        out = m.tool('held', 'list', '--search', words)
        tap.ok((wrong in out) == found, 'a search for "%s", as on the page' % words, out)
    audit = [a for a in m.audit() if a['queue_id'] == wrong]
    tap.ok(len(audit) == 1 and audit[0]['verdict'] == 'hold', 'one audit line for it', audit)
    text = m.trail() + m.tail()
    tap.ok(not tells(text) and 'AC-2' not in text,
           'neither log nor audit has an identifier or an account in clear')

    # local submission: Sendmail's own clients come in by SMTP, as all others do
    if p.kind == 'Postfix':
        p.sendmail(message('local wrong', WRONG), ['kunde@alpha.example'])
        tap.ok(wait_for(lambda: any(q['queue_name'] == 'hold' and q['sender'] == 'billing@seller.example'
                                    for q in p.queue())), 'mail of sendmail(1) is judged too', p.log())
        p.sendmail(message('local right', RIGHT), ['kunde@alpha.example'])
        tap.same(p.arrived('local right'), 1, '... and delivered when right')

    # crowd
    crowd = ['r%d@many.example' % i for i in range(1000)]
    r = p.send(message('crowd', RIGHT, to=', '.join(crowd[:40])), to=crowd)
    tap.ok(r[0] == 250 and p.queue_id(r) in p.held(), '1,000 recipients are held', r)
    out = m.tool('held', 'show', p.queue_id(r))
    tap.ok('oversized' in out and 'exposed-recipients' in out, '... as oversized and exposed', out)

    # large things
    big = message('thirty', RIGHT + ('x' * 75 + '\n') * (30 * 1024 * 1024 // 77))
    r = p.send(big)
    tap.ok(r[0] == 250, 'a message of 30 MB is taken', r)
    tap.same(p.arrived('thirty', seconds=60), 1, '... judged and delivered')
    if p.kind == 'Sendmail':
        return done(p)  # its MaxHeadersLength refuses the next one before missent sees it
    r = p.send(message('header', RIGHT, more='X-Long: ' + 'y' * 900 + '\r\n' +
                       ''.join(' z%05d%s\r\n' % (i, 'z' * 900) for i in range(165))))
    tap.ok(r[0] == 250 and p.arrived('Subject: header') == 1, 'a header of 150 KB is read', r)
    done(p)


def done(p):
    # observing
    m.write_policy(POLICY)
    m.mode = 'observe'
    m.write_conf()
    mark = m.mark()
    m.signal(signal.SIGUSR1)
    tap.ok(wait_for(lambda: 'reloaded' in m.tail(mark)), 'SIGUSR1 reloads', m.tail(mark))
    p.send(message('observed', WRONG))
    tap.same(p.arrived('observed'), 1, 'mode observe delivers what it would hold')
    out = m.tool('held', 'list', '--observed')
    tap.ok('observed' in out and 'mismatch' in out, '... and records it', out)


for p in both(S, 'unix:' + m.socket, tap):
    verdicts(p)
    if p.kind == 'Sendmail':
        m.mode = 'enforce'
        m.write_conf()
        m.kill()
        r = p.send(message('no milter', WRONG))
        tap.ok(r[0] in (421, 451), 'with F=T and missentd killed: a temporary failure', r)
        m.start()
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
