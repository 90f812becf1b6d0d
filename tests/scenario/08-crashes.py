"""Killed in the middle of each decision, and of each split: run again, there is exactly one outcome,
and the record tells it."""
import fcntl
import sqlite3
import threading

from sendmail import *

tap = Tap()
S = scratch_folder()
m = Missent(S, policies=POLICY + '''
policy "split" {
	sender = {"split@seller.example"}
	kinds = {"customer-number"}
	on-mismatch = split
}
''', mapping=MAPPING)
m.start()
TO = ['kunde@alpha.example', 'a@beta.example', 'b@beta.example']
ONE = ['a@beta.example']
# verb, recipients chosen, points at which to kill
CASES = [
    ('release', [], ['decided', 'release', 'after release', 'finished']),
    ('release', ONE, ['decided', 'moving', 'copied', 'moved', 'submit', 'submitted', 'finished']),
    ('return', [], ['decided', 'submit', 'submitted', 'told', 'after return', 'finished']),
    ('delete', [], ['decided', 'delete', 'after delete', 'finished']),
]
END = {'release': 'released', 'return': 'returned', 'delete': 'deleted'}


def record(name):
    return json.loads(m.tool('held', 'show', '--json', name))


def starts():
    """Lines of the trail that say so."""
    n = 0
    for folder, _, names in os.walk(m.state + '/audit'):
        for name in names:
            if name.startswith('head.') or '/entries' in folder:
                with contextlib.suppress(FileNotFoundError), open(folder + '/' + name, 'rb') as f:
                    n += f.read().count(b'"type":"start"')
    return n


def spooled():
    """Held copies; what a crash left without a record is set aside beside them."""
    return sorted(x for x in os.listdir(m.state + '/spool') if x.endswith('.eml'))


def ask(point, verb, uid, chosen):
    request = {'do': 'decide', 'verb': verb, 'uids': [uid], 'recipients': chosen, 'who': 'anna', 'why': 'test',
               'others': 1 if verb == 'release' and not chosen else 0}
    return subprocess.run([BUILD + '/tests/tools/crashing-desk', m.conf, point, json.dumps(request)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def held_message(p, subject, to, sender='billing@seller.example'):
    r = p.send(message(subject, WRONG, sender=sender), to=to, sender=sender)
    name = p.queue_id(r)
    wait_for(lambda: name in p.held())
    return name


def decide(p, verb, chosen, point):
    title = '%s %s%s killed at %s' % (p.kind, verb, ' to one' if chosen else '', point)
    subject = title.replace(' ', '-')
    name = held_message(p, subject, TO)
    uid = record(name)['uid']
    done = ask(point, verb, uid, chosen)
    tap.ok(done.returncode == -signal.SIGKILL, title + ': it died there', done)
    before = record(uid)
    out = m.tool('held', 'work')
    out += m.tool('held', 'work')
    p.flush()
    r = record(uid)
    left = [d for d in r['decisions'] if d['state'] not in ('done',)]
    acts = [a for a in r['acts'] if a['what'].startswith(verb)]
    tap.ok(not left and len(acts) == 1, '... taken up again: done, once', (out, before['decisions'], r['acts']))
    if verb == 'release':
        want = sorted(chosen or TO)
        p.arrived('Subject: ' + subject, 1)
        time.sleep(0.5)
        got = sorted(x for c in p.copies('Subject: ' + subject) for x in c[0])
        tap.same(got, want, '... each of its recipients got it once, and nobody else')
    else:
        tap.same(p.arrived('Subject: ' + subject, 1, 0.5), 0, '... nobody got it')
    if verb == 'return':
        p.arrived(uid)
        time.sleep(0.5)
        tap.same([c[0] for c in p.copies(uid)], [['billing@seller.example']], '... the sender has one notice')
    tap.same([x['state'] for x in r['recipients']],
             [END[verb] if not chosen or x in chosen else 'held' for x in TO], '... the record tells it')
    tap.ok(name not in p.held(), '... the hold queue has it no more', p.held())
    if chosen:
        m.tool('held', 'delete', uid)
    tap.same(spooled(), [], '... nor has the spool')


def split_once(p, subject):
    """The sender tries until it is taken."""
    reply = (0, '')
    for _ in range(20):
        with contextlib.suppress(smtplib.SMTPException, OSError):
            reply = p.send(text, to=TO, sender='split@seller.example')
            if reply[0] == 250:
                return reply
        time.sleep(0.5)
    return reply


def copies_held(subject):
    out = m.tool('held', 'list', '--json', '--sender', 'split@', '--all')
    return [x for x in map(json.loads, out.splitlines()) if x['state'] == 'held']


for p in both(S, 'unix:' + m.socket, tap):
    m.more = p.settings() + p.desk()
    m.write_conf()
    for verb, chosen, points in CASES:
        for point in points:
            decide(p, verb, chosen, point)

    # ---- what fails when it is taken up is told ----
    name = held_message(p, p.kind + '-fails', TO)
    ask('decided', 'release', record(name)['uid'], [])
    m.more = p.settings().replace(BUILD + '/missent-release', '/bin/false') + p.desk()
    m.write_conf()
    out = m.tool('held', 'work')
    tap.ok(m.code == 75 and '1 decision finished' in out and 'missent-release failed' in out,
           '%s: a decision that fails when it is taken up is told, and is the exit status' % p.kind, (m.code, out))
    tap.same((m.tool('held', 'work'), m.code), ('0 decisions finished\n', 0), '... once')
    m.more = p.settings() + p.desk()
    m.write_conf()
    m.tool('held', 'delete', name)
    tap.ok(m.code == 0 and name not in p.held(), '... and may be decided again', p.held())

    # ---- a split, with missentd killed after the copy, and after the record ----
    for stage in ('copy', 'record'):
        subject = '%s split killed at %s' % (p.kind, stage)
        text = message(subject, WRONG, sender='split@seller.example')
        m.stop()
        lock = trail = None
        before = starts()
        m.start()
        if stage == 'record':
            wait_for(lambda: starts() > before)  # what waits for that line writes nothing either
            trail = open(m.state + '/audit/lock')
            fcntl.flock(trail, fcntl.LOCK_EX)
        if stage == 'copy':
            lock = sqlite3.connect(m.state + '/held.db')
            lock.execute('BEGIN IMMEDIATE')

        def kill_behind_the_copy():
            wait_for(spooled, 30)
            time.sleep(0.5 * SLOW)
            m.kill()

        threading.Thread(target=kill_behind_the_copy).start()
        try:
            reply = p.send(text, to=TO, sender='split@seller.example')
        except (smtplib.SMTPException, OSError) as why:
            reply = (0, str(why))
        wait_for(lambda: m.process is None)
        if lock:
            lock.rollback()
            lock.close()
        if trail:
            trail.close()
        tap.ok(reply[0] != 250, subject + ': the message is not taken', reply)
        tap.same(len(spooled()), 1, '... its copy was made')
        tap.same(p.arrived('Subject: ' + subject, 1, 1), 0, '... and nobody has it')
        m.more = p.settings() + p.desk()
        m.write_conf()
        m.start()
        reply = split_once(p, subject)
        tap.ok(reply[0] == 250, '... sent again it is taken', reply)
        p.arrived('Subject: ' + subject, 1)
        held = copies_held(subject)
        tap.ok(len(held) == 1 and [x['state'] for x in held[0]['recipients']] == ['held', 'delivered', 'delivered'],
               '... one copy is held', held)
        m.tool('held', 'release', held[0]['uid'])
        p.arrived('Subject: ' + subject, 2)
        time.sleep(0.5)
        tap.same(sorted(x for c in p.copies('Subject: ' + subject) for x in c[0]), sorted(TO),
                 '... each got it once')
        # What the crash left is nobody's: it is set aside when it is old.
        for name in spooled():
            os.utime(m.state + '/spool/' + name, (1, 1))
        m.tool('held', 'work')
        tap.same(spooled(), [], '... and nothing is left behind')
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
