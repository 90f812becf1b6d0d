"""What the clock asks for: notices to senders and reviewers, digests, expiry with a warning before it."""
import sqlite3

from sendmail import *

tap = Tap()
S = scratch_folder()
m = Missent(S, policies=POLICY, mapping=MAPPING)
m.start()


def hold(p, subject, sender='billing@seller.example', to=('kunde@alpha.example',)):
    name = p.queue_id(p.send(message(subject, WRONG, sender=sender), to=to, sender=sender))
    wait_for(lambda: name in p.held())
    return name


def record(name):
    return json.loads(m.tool('held', 'show', '--json', name))


def mails(p, to, word):
    return [data for who, data in p.copies(word) if who == [to]]


def configure(p, desk, port=None):
    m.more = p.settings() + p.desk('notice-from = "missent@seller.example"\n' + desk, port)
    m.write_conf()


for p in both(S, 'unix:' + m.socket, tap):
    kind = p.kind
    with contextlib.closing(sqlite3.connect(m.state + '/held.db')) as db:
        db.execute('DELETE FROM notice')  # what was told of the other MTA's
        db.commit()
    # ---- notices ----
    told_to = 'notice-sender = yes\nnotice-to = {"desk@seller.example"}\nnotice-contact = "help@seller.example"\n'
    configure(p, told_to + 'digest-to = {"team@seller.example"}\n', free_port())  # nobody takes mail yet
    agent = Program(m, 'missent-agent', '-r').start()
    names = [hold(p, 'C-10002 %s notice %d' % (kind, i)) for i in range(3)]
    time.sleep(2)
    agent.stop()
    configure(p, told_to)
    agent.start()
    uid = record(names[0])['uid']
    tap.ok(wait_for(lambda: mails(p, 'billing@seller.example', 'held for review')), 'the sender is told of a hold')
    wait_for(lambda: mails(p, 'desk@seller.example', 'held for review'))
    time.sleep(1.5)
    told = mails(p, 'billing@seller.example', 'held for review')
    tap.same(len(told), 1, '... once for one cause')
    tap.same(len(mails(p, 'desk@seller.example', 'held for review')), 1, '... as is the contact')
    tap.ok(any(record(n)['uid'].encode() in told[0] for n in names) and b'help@seller.example' in told[0],
           '... with a reference, and whom to ask', told[0])
    tap.ok(not tells(told[0]) and not any(x in told[0] for x in (b'AC-2', b'X-Missent-Release', b'kunde@')),
           '... without anything of the other customer', told[0])
    tap.ok('(mismatch, unproven (customer-number))' in plain(told[0]), '... but what kind of thing does not fit', told[0])
    tap.ok(b'Auto-Submitted: auto-replied' in told[0], '... marked as automatic')
    m.write_policy(POLICY.replace('"invoices"', '"renamed"'))
    since = m.mark()
    m.signal(signal.SIGUSR1)
    wait_for(lambda: 'policies=1' in m.tail(since))
    hold(p, kind + ' other cause')
    tap.ok(wait_for(lambda: len(mails(p, 'billing@seller.example', 'held for review')) == 2), 'another cause is told again')
    m.write_policy(POLICY)
    m.signal(signal.SIGUSR1)
    agent.stop()
    # ---- the digest ----
    configure(p, 'digest-to = {"team@seller.example"}\nnotice-language = fr\n')
    agent.start()
    tap.ok(wait_for(lambda: mails(p, 'team@seller.example', 'missent')), 'reviewers get a digest')
    digest = mails(p, 'team@seller.example', 'missent')[0]
    tap.ok('messages sont retenus, le plus ancien' in plain(digest) and 'mismatch, unproven (customer-number)' in plain(digest),
           '... in French here, by cause', digest)
    tap.ok(not tells(digest) and b'kunde@' not in digest, '... without identifiers')
    agent.stop()
    agent.start()
    time.sleep(2)
    tap.same(len(mails(p, 'team@seller.example', 'retenus, le plus ancien')), 1, '... once a day')
    agent.stop()
    # ---- expiry ----
    configure(p, 'notice-to = {"team@seller.example"}\nexpire-after = "5s"\nexpire-warning = "3s"\ntwo-person-above = 0\n')
    agent.start()
    tap.ok(wait_for(lambda: mails(p, 'team@seller.example', 'returned to their senders soon'), 20), 'expiry is announced')
    warning = mails(p, 'team@seller.example', 'returned to their senders soon')[0]
    tap.ok(uid.encode() in warning and not tells(warning), '... with references', warning)
    tap.ok(names[0] in p.held() and record(names[0])['warned'] > 0, '... nothing is returned yet', record(names[0]))
    tap.ok(wait_for(lambda: record(names[0])['state'] == 'returned', 30), '... then it is returned to its sender')
    acts = [(a['who'], a['what']) for a in record(names[0])['acts']]
    tap.ok(('missent', 'expiry announced') in acts and ('missent', 'return') in acts, '... both are on record', acts)
    r = record(names[0])
    warned = [a['at'] for a in r['acts'] if a['what'] == 'expiry announced'][0]
    tap.ok([a['at'] for a in r['acts'] if a['what'] == 'return'][0] - warned >= 2, '... with time between', r['acts'])
    # Other mail of ours names it too: the report is the one that is waited for.
    wait_for(lambda: [w for w, d in p.copies(uid) if b'report-type' in d])
    tap.same([w for w, d in p.copies(uid) if b'report-type' in d], [['billing@seller.example']], '... who is told')
    wait_for(lambda: not p.held(), 30)
    agent.stop()
    # ---- old records ----
    name = hold(p, kind + ' stays')
    old = len(m.tool('held', 'list', '--all', '--json').splitlines())
    configure(p, 'expire-warning = "2s"\nkeep-records = "1s"\n')
    time.sleep(1)
    agent.start()
    tap.ok(wait_for(lambda: len(m.tool('held', 'list', '--all', '--json').splitlines()) == 1, 20),
           'records of what is no longer held are removed', old)
    tap.same(record(name)['state'], 'held', '... others are not')
    tap.ok([x['detail'] for x in m.audit(events=True) if x['event'] == 'forget'][-1:] == ['%d records' % (old - 1)],
           '... and the audit file says how many', m.audit(events=True)[-3:])
    m.tool('held', 'delete', name, '-w', 'test')
    agent.stop()
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
