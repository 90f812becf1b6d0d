"""Every decision on held mail, on Postfix and on Sendmail, checked at the sink that receives it."""
import fcntl
import pty
import pwd
import threading

from sendmail import *

tap = Tap()
S = scratch_folder()
POLICIES = POLICY + '''
policy "split" {
	sender = {"split@seller.example"}
	kinds = {"customer-number"}
	on-mismatch = split
}
policy "half" {
	sender = {"half@seller.example"}
	kinds = {"customer-number"}
	on-mismatch = split
	tolerate = {"limit"}
}
policy "bills, careful" {
	sender = {"careful@seller.example"}
	kinds = {"customer-number"}
}
'''
RESOLVE = ['kunde@alpha.example', 'a@beta.example', 'b@beta.example']
m = Missent(S, policies=POLICIES, mapping=MAPPING, reader='max-message = 256K\n')
m.start()
KEYS = dkim_keys(S)


def held(*args):
    return m.tool('held', *args)


def record(name):
    return json.loads(held('show', '--json', name))


def state(name):
    r = record(name)
    return r['state'], [x['state'] for x in r['recipients']]


def last(name):
    acts = record(name)['acts']
    return acts[-1] if acts else None


def hold(p, subject, body=WRONG, to=('kunde@alpha.example',), sender='billing@seller.example', **more):
    r = p.send(message(subject, body, sender=sender, **more), to=to, sender=sender)
    name = p.queue_id(r)
    wait_for(lambda: name in p.held())
    return name


class Cut:
    """A way to an MTA that breaks at the end of a message: before the MTA has the end (`after` is None), or that many
    seconds after it has answered, and the answer is lost.  Or it does not, but what is said becomes other words (`says`)."""

    def __init__(self, port, after, says=(b'', b'')):
        self.mta, self.after, self.says, self.ended = port, after, says, False
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with self.server.accept()[0] as client, socket.create_connection(('127.0.0.1', self.mta)) as mta:
            back = threading.Thread(target=self.pass_on, args=(mta, client, False))
            back.start()
            self.pass_on(client, mta, True)
            back.join()

    def pass_on(self, source, sink, forth):
        end = b''
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                end = (end + data)[-5:]
                data = data.replace(*self.says) if forth and self.says[0] else data
                if forth:
                    self.ended = end == b'\r\n.\r\n'
                if self.ended and not self.says[0] and (self.after is None or not forth):
                    time.sleep(self.after or 0)
                    break
                sink.sendall(data)
            for x in (source, sink):
                x.shutdown(socket.SHUT_RDWR)


def on_terminal(*args):
    """What a command writes on one."""
    master, slave = pty.openpty()
    with subprocess.Popen([BUILD + '/missent', '-c', m.conf, *args], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave) as command:
        os.close(slave)
        out = b''
        with contextlib.suppress(OSError):  # the other end is closed
            while data := os.read(master, 65536):
                out += data
        command.wait()
    os.close(master)
    return out


def broken(p):
    """The connection to the MTA breaks while a copy is submitted."""
    def release(word, after):
        m.more = p.settings() + p.desk(port=Cut(p.port, after).port)
        m.write_conf()
        name = hold(p, p.kind + word, to=RESOLVE)
        return name, held('release', name, '--to', 'a@beta.example')

    name, out = release(' cut before', None)
    tap.ok(m.code != 0 and 'did not take it' in out and state(name)[1] == ['held'] * 3,
           'the connection breaks before the MTA has a message: it says so', out)
    late, out = release(' cut late', 3)
    tap.ok(m.code != 0 and 'look for' in out and state(late)[1] == ['held'] * 3,
           '... after it was sent on, with no answer: one is to look where it is', out)
    tap.same(p.arrived(p.kind + ' cut late'), 1, '... and it is not sent again')
    p.stop_sink()
    kept, out = release(' cut after', 1)
    tap.ok(m.code == 0 and 'taken by the MTA as' in out and state(kept)[1] == ['held', 'released', 'held'],
           '... with no answer, but it is in the queue: it is sent', out)
    p.start_sink()
    for what, says in (('recipient', (b'RCPT TO:<a@', b'RCPT TO:<x@')), ('sender', (b'FROM:<billing@', b'FROM:<careful@')),
                       ('text', (b'Dear customer,', b'Dear Customer,'))):
        m.more = p.settings() + p.desk(port=Cut(p.port, None, says).port)
        m.write_conf()
        before = sorted(p.held())
        out = held('release', name, '--to', 'a@beta.example')
        tap.ok(m.code != 0 and 'did not take it: 4' in out and 'changed what missent submitted' in out and
               state(name)[1] == ['held'] * 3 and sorted(p.held()) == before,
               '... what comes to missent with another %s was not released, nor is it held anew' % what, out)
    m.more = p.settings() + p.desk()
    m.write_conf()
    out = held('release', name, '--to', 'a@beta.example', '-w', 'it broke')
    p.flush()
    tap.same([p.arrived(p.kind + x) for x in (' cut before', ' cut after')], [1, 1], '... each arrives once')
    acts = m.tool('audit', 'acts', '--json', '--act', 'release', '--about', name).splitlines()
    tap.same([(x['to'], x['why'].split(' [')[0]) for x in map(json.loads, acts) if x['detail'] == 'done'], [(['a@beta.example'], 'it broke')],
             '... and the trail tells to whom, and why')
    held('delete', name, late, kept)


def rewritten(p):
    """The queue has the sender as Postfix rewrites it; the filter has what the client said."""
    subprocess.run(['postconf', '-c', p.etc, '-e', 'sender_canonical_maps = inline:{{careful@seller.example = other@seller.example}}'],
                   check=True)
    subprocess.run(['postfix', '-c', p.etc, 'reload'], stderr=subprocess.DEVNULL, check=True)
    name = hold(p, 'sender rewritten', sender='careful@seller.example')
    tap.same([x['sender'] for x in p.queue() if x['queue_id'] == name], ['other@seller.example'],
             'Postfix rewrites the sender of a held message')
    out = held('list')
    tap.ok(any(name in x and '(in the queue' not in x for x in out.splitlines()), '... held list finds it', out)
    out = held('show', '--message', name)
    tap.ok('sender rewritten' in out, '... held show shows it', out)
    out = held('release', name, '-w', 'test')
    tap.ok(m.code == 0 and p.arrived('sender rewritten') == 1, '... it is released', out)
    name = hold(p, 'sender rewritten, to delete', sender='careful@seller.example')
    out = held('delete', name, '-w', 'test')
    tap.ok(m.code == 0 and name not in [q['queue_id'] for q in p.queue()], '... it is deleted', out)
    # all of the queue is told to expire, and what is held with it
    name = hold(p, 'expired and released', sender='careful@seller.example')
    subprocess.run(['postsuper', '-c', p.etc, '-e', name], stderr=subprocess.DEVNULL, check=True)
    held('release', name, '-w', 'test')
    p.arrived('expired and released')
    tap.same([c[0] for c in p.copies('expired and released')], [['kunde@alpha.example']],
             'what Postfix was told to let expire goes when it is released, and is not returned')
    # an operator lets it go while it is being decided on
    name = hold(p, 'let go by hand', sender='careful@seller.example')
    digest = record(name)['digest']
    p.stop_sink()
    subprocess.run(['postsuper', '-c', p.etc, '-H', name], stderr=subprocess.DEVNULL, check=True)
    done = subprocess.run([BUILD + '/missent-release', '--config', p.etc, 'delete', name, digest], stderr=subprocess.PIPE, text=True)
    tap.ok(done.returncode == 65 and name in [q['queue_id'] for q in p.queue()],
           'what somebody has let go is not said to be deleted', done.stderr)
    p.start_sink()
    tap.same(p.arrived('let go by hand'), 1, '... it went')


def single(p, what):
    tap.ok(True, '--- on %s ---' % what)
    word = what.lower()

    # release to all: the bytes, the signature, no second judgement
    text = sign(KEYS, message(word + ' signed', WRONG + 'Gruesse\n.leading dot\n..two\n'))
    name = p.queue_id(p.send(text))
    tap.ok(wait_for(lambda: name in p.held()), 'a signed wrong message is held', p.held())
    r = record(name)
    tap.ok(r['state'] == 'held' and r['place'] == 'queue' and r['signed'] and len(r['digest']) == 32,
           'its record says where it is, and that it is signed', r)
    out = held('list')
    tap.ok(any(name in x and '(in the queue' not in x for x in out.splitlines()),
           'held list finds it in the queue', out)
    out = held('show', '--message', name)
    tap.ok('.leading dot' in out and 'Subject: %s signed' % word in out, 'held show --message shows it', out)
    tap.ok(last(name)['what'] == 'reveal', '... and the look is on record')
    for args, want in ((('show', name), [('look', r['uid'], 'masked')]),
                       (('show', '--json', name), [('look', r['uid'], 'masked')]),
                       (('show', '-m', name), [('look', r['uid'], 'masked'), ('reveal', r['uid'], '')]),
                       (('show', '-r', name), [('reveal', r['uid'], '')]),
                       (('list',), []), (('list', '--reason', 'mismatch'), []), (('causes',), []), (('stats',), []),
                       (('list', '--search', 'kunde@alpha.example'), [('search', '', 'search k***@a***.example')]),
                       (('list', '--account', 'AC-2', '--recipient', 'kunde@'), [('search', '', 'account ****, recipient k***@')]),
                       (('list', '--json'), [('search', '', 'whole records')]),
                       (('delete', '--sender', 'nobody-has-this', '-w', 'x'), [('search', '', 'sender no***********is')])):
        mark = len(m.trail().splitlines())
        held(*args)
        lines = [json.loads(x) for x in m.trail().splitlines()[mark:]]
        tap.same([(x['event'], x['about'], x['detail']) for x in lines if x['type'] == 'act' and x['who'] == 'root'], want,
                 '... held %s: what was read is on the trail' % ' '.join(args))
    evidence = json.loads(held('show', '--reveal', name))
    found = [f for f in evidence['findings'] if f['value'] == 'C10002']
    tap.ok(found and 'C-10002' in found[0]['places'][0]['text'], 'held show --reveal has the value', evidence)
    tap.ok(any('leading dot' in t['text'] for t in evidence['texts']), '... and the text', evidence['texts'])
    tap.ok(last(name)['what'] == 'reveal', '... and is on record')
    story = json.loads(m.tool('explain', '--json', name))
    change = story['changes']['sets'][0]
    tap.ok(story['would'] == 'hold' and change['verdict'] == 'deliver' and 'C10002' not in json.dumps(story),
           'explain says what would have to change, and nothing in clear', story)
    tap.ok(last(name)['what'] == 'explain', '... and is on record')
    out = held('release', name, '--why', 'checked by phone')
    tap.ok(m.code == 0, 'held release', out)
    tap.same(p.arrived(word + ' signed'), 1, '... it arrives, at once')
    to, got = p.copies(word + ' signed')[0]
    tap.ok(b'customer number: C-10002\nVAT ID DE136695976\nGruesse\n.leading dot\n..two\n' in got,
           '... byte for byte', got)
    tap.ok(verified(KEYS, got), '... and its DKIM signature still holds', got)
    tap.ok(b'X-Missent' not in got, '... without a header of ours')
    tap.same(state(name), ('released', ['released']), '... the record says released')
    tap.ok(last(name)['why'].startswith('checked by phone'), '... and why', last(name))
    out = held('release', name)
    tap.ok(m.code != 0 and 'released already' in out, 'a second release is refused', out)
    trail = [(x['event'], re.sub(', decision [0-9a-f]{16}$', '', x['detail'])) for x in m.audit(events=True) if x['about'] == r['uid'] and x['event'] not in ('look', 'reveal')]
    tap.same(trail, [('explain', ''), ('release', '1 message'), ('release', 'done')],
             'the audit file has what was explained and decided in a shell')

    # without an audit trail nothing is decided or shown
    name = hold(p, word + ' no trail')
    os.rename(m.state + '/audit', m.state + '/audit.away')
    open(m.state + '/audit', 'w').close()
    for verb in (['release'], ['show', '--message']):
        out = held(*verb, name)
        tap.ok(m.code == 75 and 'the audit trail' in out and 'Not a directory' in out and 'no trail' not in out,
               'no audit trail: no ' + verb[0], out)
    os.unlink(m.state + '/audit')
    out = held('note', name, '-w', 'the trail is made anew')
    files = [m.state + '/audit'] + glob.glob(m.state + '/audit/**', recursive=True)
    tap.same((m.code, {pwd.getpwuid(os.stat(f).st_uid).pw_name for f in files}), (0, {USER}),
             '... one that root makes is the daemon\'s')
    shutil.rmtree(m.state + '/audit')
    os.rename(m.state + '/audit.away', m.state + '/audit')
    held('delete', name, '-w', 'test')
    tap.same(p.arrived(word + ' no trail', seconds=0.5), 0, '... and nothing went')

    # delete
    name = hold(p, word + ' to delete')
    out = held('delete', name, '-w', 'test')
    tap.ok(m.code == 0 and name not in [q['queue_id'] for q in p.queue()], 'held delete', out)
    tap.same(state(name)[0], 'deleted', '... is on record')

    # return: a notice without the other customer's data
    name = hold(p, word + ' secret-subject C-10002', to=['kunde@alpha.example', 'x@gamma.example'])
    out = held('return', name, '-w', 'it was for AC-2')
    tap.ok(m.code == 0, 'held return', out)
    uid = record(name)['uid']
    tap.same(p.arrived(uid), 1, '... the sender gets a notice')
    to, got = p.copies(uid)[0]
    tap.same(to, ['billing@seller.example'], '... and nobody else')
    tap.ok(b'report-type=delivery-status' in got and b'Reporting-MTA: dns; mx.seller.example' in got
           and b'Final-Recipient: rfc822; kunde@alpha.example' in got and b'Action: failed' in got
           and b'Final-Recipient: rfc822; x@gamma.example' in got, '... of the form of RFC 3464', got)
    tap.ok(not tells(got) and not any(x in got for x in (b'AC-2', b'secret-subject', b'X-Missent-Release')),
           '... in which nothing of the other customer stands', got)
    tap.ok('(mismatch, unproven (customer-number))' in plain(got), '... but what kind of thing does not fit', got)
    tap.ok(b'MAIL FROM:<>' in got or b'X-Mail-Args: <>' in got, '... from the empty sender', got)
    tap.ok(name not in [q['queue_id'] for q in p.queue()], '... and the message is gone from the queue')
    tap.same(state(name)[0], 'returned', '... is on record')

    # release to some
    name = hold(p, word + ' to one of three', to=RESOLVE, more='X-Note: keep me\r\n')
    before = len(p.copies(word + ' to one'))
    out = held('release', name, '--to', 'a@beta.example', '-w', 'only she')
    tap.ok(m.code == 0 and 'taken by the MTA' in out, 'held release --to', out)
    p.arrived(word + ' to one')
    copies = p.copies(word + ' to one')
    tap.ok(before == 0 and len(copies) == 1 and copies[0][0] == ['a@beta.example'],
           '... only she gets it', copies)
    tap.ok(b'X-Note: keep me' in copies[0][1] and b'X-Missent' not in copies[0][1], '... as it was', copies)
    tap.same(state(name), ('held', ['held', 'released', 'held']), '... the others stay held')
    tap.ok(name not in p.held() and record(name)['place'] == 'spool', '... in the spool now')
    owners = {pwd.getpwuid(os.stat(x).st_uid).pw_name for x in glob.glob(m.state + '/spool/*') + [
        m.state + '/desk.lock', m.state + '/held.db']}
    tap.same(owners, {USER}, '... where what root did is still the daemon\'s')
    out = held('release', name, '--to', 'a@beta.example')
    tap.ok(m.code != 0 and 'is not among those for whom it is held' in out, '... she cannot get it twice', out)
    out = held('release', name, '--to', 'stranger@x.example')
    tap.ok(m.code != 0, '... and a stranger cannot be added', out)
    out = held('release', name)
    tap.ok(m.code != 0 and '--others 1' in out, '... the rest has one for whom it is another\'s: that is said first', out)
    out = held('release', name, '--others', '1')
    p.arrived(word + ' to one', 2)
    tap.same(sorted(x for c in p.copies(word + ' to one') for x in c[0]), sorted(RESOLVE),
             '... then the rest: each got it once')
    tap.same(state(name)[0], 'released', '... and it is over')
    tap.same(os.listdir(m.state + '/spool'), [], '... nothing is left in the spool')

    # Sendmail here has it in its queue as three, each for some of its recipients, one of a group elsewhere
    for verb in ('release', 'return', 'delete'):
        subject = '%s to ninety, %s.' % (word, verb)
        name = p.queue_id(p.send(message(subject, WRONG), to=['k%d@%s.example' % (i, ('beta', 'beta', 'far')[i % 3]) for i in range(90)]))
        wait_for(lambda: name in p.held())
        n = len(p.held())
        tap.ok(n == 1 or p.kind == 'Sendmail', 'one to ninety is held, as %d' % n)
        out = held('list')
        tap.ok(name in out and 'without a record' not in out, '... which is one', out)
        out = held(verb, name, *(('--others', '60') if verb == 'release' else ()))
        tap.ok(m.code == 0 and p.held() == [], '... %s takes it whole' % verb, out + str(p.held()))
        p.flush()
        wait_for(lambda: sum(len(c[0]) for c in p.copies('Subject: ' + subject)) >= 90, 15 if verb == 'release' else 0.3)
        tap.same(sum(c[0][0][0] == 'k' and len(c[0]) for c in p.copies('Subject: ' + subject)),
                 90 if verb == 'release' else 0, '... to whom it goes')

    # split
    text = sign(KEYS, message(word + ' to split', WRONG, sender='split@seller.example'))
    r = p.send(text, to=['a@beta.example', 'kunde@alpha.example', 'kunde2@alpha.example'],
               sender='split@seller.example')
    tap.ok(r[0] == 250, 'on-mismatch = split: the message is taken', r)
    p.arrived(word + ' to split')
    copies = p.copies(word + ' to split')
    tap.ok([c[0] for c in copies] == [['a@beta.example']], '... who has a right gets it at once', copies)
    tap.ok(verified(KEYS, copies[0][1]), '... with its signature')
    name = p.queue_id(r)
    tap.same(state(name), ('held', ['delivered', 'held', 'held']), '... the others\' copy is held')
    out = held('list')
    tap.ok(name in out and '(split)' in out, '... and listed', out)
    evidence = json.loads(held('show', '--reveal', name))
    tap.ok(any(f['value'] == 'C10002' for f in evidence['findings']), '... and can be looked at')
    out = held('release', name, '--to', 'kunde2@alpha.example')
    tap.ok(m.code == 0, '... released to one', out)
    p.arrived(word + ' to split', 2)
    copies = [c for c in p.copies(word + ' to split') if c[0] == ['kunde2@alpha.example']]
    tap.ok(len(copies) == 1 and verified(KEYS, copies[0][1]), '... its signature holds too', copies)
    held('delete', name)
    tap.same(state(name), ('deleted', ['delivered', 'deleted', 'released']), '... and deleted for the other')
    tap.same(p.arrived('kunde@alpha.example>\nX-Rcpt', 1, 1), 0, '... who never got it')
    tap.same(os.listdir(m.state + '/spool'), [], '... the spool is empty')
    r = p.send(message(word + ' split of all', WRONG, sender='split@seller.example'),
               to=['kunde@alpha.example'], sender='split@seller.example')
    name = p.queue_id(r)
    tap.ok(wait_for(lambda: name in p.held()), 'a split that leaves nobody is a hold', r)
    # What surrounds an address an MTA takes off, and does not find by it whom it is to take off.
    for n, rcpt in enumerate(('<@x.example:kunde@alpha.example>', '<<kunde@alpha.example>>',
                              '<Kunde <kunde@alpha.example>>', '<kunde@alpha.example> NOTIFY=NEVER',
                              '<"kunde"@alpha.example>', '<Kunde@ALPHA.example.>')):
        subject = '%s wrapped %d.' % (word, n)
        with smtplib.SMTP('127.0.0.1', p.port, timeout=60) as smtp:
            smtp.ehlo()
            smtp.docmd('MAIL FROM:<split@seller.example>')
            smtp.docmd('RCPT TO:<a@beta.example>')
            taken = smtp.docmd('RCPT TO:' + rcpt)[0] == 250
            r = smtp.data(message(subject, WRONG, sender='split@seller.example').encode())
        if not taken:
            continue
        queue = p.queue_id((r[0], r[1].decode()))
        wait_for(lambda: queue in p.held() or p.copies(subject))
        tap.ok([c[0] for c in p.copies(subject)] == [['a@beta.example']] or queue in p.held(),
               'a split keeps it from ' + rcpt, p.copies(subject))
        held('delete', queue)
    held('delete', name)

    r = p.send(message(word + ' split of half', WRONG + ('x' * 70 + '\n') * 5000, sender='half@seller.example'),
               to=RESOLVE, sender='half@seller.example')
    name = p.queue_id(r)
    tap.ok(wait_for(lambda: name in p.held()) and record(name)['place'] == 'queue' and not os.listdir(m.state + '/spool'),
           'half a copy is none: what could not be kept whole is held', r)
    held('delete', name)

    # the way back into the MTA is nobody else's
    forged = message(word + ' forged', WRONG, more='X-Missent-Release: %s\r\nX-Terminal: \x1b[31m\x07 red\r\n' % ('0' * 64))
    name = p.queue_id(p.send(forged))
    tap.ok(wait_for(lambda: name in p.held()), 'a forged token is not good for anything', p.held())
    tap.ok('0' * 64 not in held('show', '-m', name), '... and is taken off')
    seen = on_terminal('held', 'show', '-m', name)
    tap.ok(b'X-Terminal: \\x1b[31m\\x07 ' in seen and b'\x1b[31m' not in seen and b' red' in seen,
           'what a terminal would obey is shown on one', seen[-500:])
    tap.ok('X-Terminal: \x1b[31m' in held('show', '-m', name), '... and goes elsewhere as it is')
    held('delete', name)

    # notes, assignment, learning
    name = hold(p, word + ' to learn')
    held('note', name, '-w', 'asked sales')
    held('assign', name, '--to', 'anna')
    r = record(name)
    tap.ok(r['assignee'] == 'anna' and any(a['why'] == 'asked sales' for a in r['acts']), 'note, assign', r)
    tap.ok(name in held('list', '--assigned', 'anna') and name not in held('list', '--assigned', 'bert'),
           '... a list of one\'s own')
    ref = [f['ref'] for f in r['findings'] if f['kind'] == 'customer-number'][0]
    m.tool('directory', 'delete', 'AC-2', 'customer-number', 'C-10002')
    wrong = ref[:-1] + ('0' if ref[-1] != '0' else '1')
    out = held('belongs', name, '--identifier', wrong, '--account', 'AC-1', '-w', 'moved')
    tap.ok(m.code == 65 and 'is none of those that were found in it' in out and 'did you mean "%s"?' % ref in out,
           'held belongs: a reference that is mistyped', out)
    tap.same([d for d in record(name).get('decisions', []) if d['verb'] == 'belongs'], [], '... and nothing is decided')
    out = held('belongs', name, '--identifier', ref, '--account', 'AC-1', '-w', 'moved')
    tap.ok(m.code == 0 and not tells(out), 'held belongs', out)
    out = m.tool('directory', 'lookup', 'customer-number', 'C-10002')
    tap.ok('AC-1' in out, '... the directory knows it', out)
    p.send(message(word + ' learned', WRONG))
    tap.same(p.arrived(word + ' learned'), 1, '... and the next one is delivered')
    m.tool('directory', 'delete', 'AC-1', 'customer-number', 'C-10002')
    m.tool('directory', 'put', 'AC-2', 'customer-number', 'C-10002')
    out = held('may-receive', name, '--recipient', 'kunde@alpha.example', '--account', 'AC-2')
    tap.ok(m.code == 0, 'held may-receive', out)
    p.send(message(word + ' may', WRONG))
    tap.same(p.arrived(word + ' may'), 1, '... the next one is delivered')
    tap.same([x['outcome'] for x in record(name)['recipients']], ['right'], '... and the held one judged again')
    m.tool('directory', 'delete', 'AC-2', 'recipient', 'kunde@alpha.example')
    out = held('rejudge', name)
    tap.ok(m.code == 0 and '0 of 1 recipient may have it' in out, 'held rejudge', out)
    out = held('release', name, '--rightful')
    tap.ok(m.code != 0, '... and a release by right goes by it', out)
    for args in (['release', '--sender', '', '--yes'], ['delete', '--cause', '', '--yes'], ['return', '--account', ' ', '--yes'],
                 ['agree', ''], ['withdraw', ''], ['release', ''], ['list', '--reason', 'mismatsch']):
        out = held(*args)
        tap.ok(m.code != 0 and record(name)['state'] == 'held', 'an empty or unknown word is an error: held ' + ' '.join(args), out)
    acts = [a['what'] for a in record(name)['acts']]
    tap.ok('belongs' in acts and 'may-receive' in acts, '... who and why is on record', acts)
    held('delete', name)

    # a queue ID that names another message
    name = hold(p, word + ' original')
    if p.kind == 'Postfix':
        path = glob.glob(p.dir + '/queue/hold/**/' + name, recursive=True)[0]
        other = hold(p, word + ' impostor', WRONG + 'another text\n')
        shutil.copy2(glob.glob(p.dir + '/queue/hold/**/' + other, recursive=True)[0], path)
    else:
        with open(glob.glob(p.dir + '/queue/**/df' + name, recursive=True)[0], 'a') as f:
            f.write('another text\n')
    out = held('release', name)
    tap.ok(m.code != 0 and 'not, or is no longer, that message' in out, 'a queue ID that names another '
           'message is refused', out)
    tap.ok(name in p.held() and state(name)[0] == 'held', '... and nothing was done')

    m.host = 'mx2.seller.example'
    m.write_conf()
    out = held('release', name)
    tap.ok(m.code != 0 and 'is held on mx.seller.example' in out, '... as is one of another host', out)
    m.host = 'mx.seller.example'
    m.write_conf()

    # many with one cause
    names = [hold(p, '%s batch %d' % (word, i), sender='careful@seller.example') for i in range(8)]
    cause = record(names[0])['cause']
    out = held('causes')
    tap.ok(cause in out and '     8' in out, 'held causes counts them', out)
    out = held('release', '--cause', cause)
    tap.ok(m.code != 0 and 'and 3 more' in out and 'add --yes' in out, 'a sample is shown, and a question asked',
           out)
    for number in ((), ('--others', '7')):
        out = held('release', '--cause', cause, '--yes', '-w', 'new prices', *number)
        tap.ok(m.code != 0 and '8 recipients who may not have it' in out and set(names) <= set(p.held()),
               'what is another\'s goes only by its number', out)
    out = held('release', '--cause', cause, '--yes', '-w', 'new prices', '--others', '8')
    tap.ok(m.code == 0 and out.count('done') == 8, 'eight are decided as one', out)
    p.flush()
    tap.same(p.arrived(word + ' batch', 8), 8, '... and arrive')


# who is not root names no paths of his own
for option, value in (('--config', S), ('--queue', S), ('--program', '/bin/sh')):
    done = subprocess.run(['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups',
                           BUILD + '/missent-release', option, value, 'list'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    tap.ok(done.returncode == 64 and 'for root' in done.stdout, 'missent-release %s is for root' % option, done)

for p in both(S, 'unix:' + m.socket, tap):
    m.more = p.settings() + p.desk()
    m.write_conf()
    single(p, p.kind)
    if p.kind == 'Postfix':
        # held long: it must not bounce at its first failed attempt
        m.more = p.settings() + p.desk('requeue-after = "1s"')
        m.write_conf()
        name = hold(p, 'old one')
        subprocess.run(['postconf', '-c', p.etc, '-e', 'maximal_queue_lifetime=10s', 'bounce_queue_lifetime=10s'])
        subprocess.run(['postfix', '-c', p.etc, 'reload'], stderr=subprocess.DEVNULL)
        time.sleep(10.5)
        p.stop_sink()
        out = held('release', name)
        tap.ok(m.code == 0, 'an old message is released while the next hop is away', out)
        for _ in range(4):  # each attempt fails
            p.flush()
            time.sleep(1)
        tap.ok('Connection refused' in p.log() and 'expired' not in p.log() and any(q['sender'] == 'billing@seller.example' for q in p.queue()),
               '... and not returned at once', p.log())
        p.start_sink()
        p.flush()
        tap.same(p.arrived('old one'), 1, '... but delivered when it can be')
    else:
        # somebody else is at it: Sendmail lets it be, and says nothing of that
        name = hold(p, 'locked one')
        with open(next(x for x in p.control_files('h') if x.endswith(name)), 'r+') as f:
            for lock in (fcntl.flock, fcntl.lockf):  # as it was built
                lock(f, fcntl.LOCK_EX)
            out = held('release', name)
            tap.ok(m.code != 0 and 'at this message now' in out and name in p.held(), 'what is locked is not taken for released', out)
            tap.same(state(name)[0], 'held', '... nor on record')
        out = held('release', name)
        tap.ok(m.code == 0 and p.arrived('locked one') == 1, '... and goes when it is free', out)
        m.more = p.settings() + p.desk('requeue-after = "1s"')
        m.write_conf()
        name = hold(p, 'old one too')
        time.sleep(1.5)
        out = held('release', name)
        tap.ok(m.code == 0 and 'taken by the MTA' in out, 'an old message is submitted anew', out)
        tap.same(p.arrived('old one too'), 1, '... and arrives')
        tap.same(p.places, {'q1', 'q2/qf', 'far'}, 'all that was done in each of several queue directories')
    # those who have a right to it
    name = hold(p, p.kind + ' rightful', to=RESOLVE)
    out = held('release', name, '--rightful', '-w', 'the others may')
    tap.ok(m.code == 0, 'released to those with a right', out)
    tap.same(state(name), ('held', ['held', 'released', 'released']), '... and to no other')
    p.arrived(p.kind + ' rightful')
    tap.same(sorted(sum((to for to, _ in p.copies(p.kind + ' rightful')), [])), RESOLVE[1:], '... who get it')
    out = held('release', name, '--rightful')
    tap.ok(m.code != 0 and 'has a right' in out, '... where there is none nothing is done', out)
    some = hold(p, p.kind + ' rightful too', to=RESOLVE)
    out = held('release', name, some, '--rightful')
    tap.ok(m.code == 0 and name + ': stays held, nobody' in out, '... of several messages the others are not stopped by it', out)
    tap.same((state(name)[0], state(some)[1]), ('held', ['held', 'released', 'released']), '... and go')
    rows = [json.loads(x) for x in held('release', name, some, '--rightful', '--json').splitlines() if x[:1] == '{']
    tap.ok(m.code != 0 and rows == [], '... if there are any', rows)
    gone = hold(p, p.kind + ' rightful and gone')
    held('release', gone)
    out = held('release', gone, name, '--rightful')
    tap.ok(m.code != 0 and 'is released already' in out, '... and of one that is released nobody is told that it stays', out)
    held('delete', name, some)
    # six decide at the same moment
    name = hold(p, p.kind + ' at once', to=RESOLVE)
    racers = [subprocess.Popen([BUILD + '/missent', '-c', m.conf, 'held', 'release', name, '--to', 'a@beta.example'],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(6)]
    said = [x.communicate()[0] for x in racers]
    tap.ok([x.returncode for x in racers].count(0) == 1
           and all('not finished' in x or 'not among those for whom it is held' in x for x, r in zip(said, racers) if r.returncode),
           'of six who release it at the same moment one does, and the others are told', said)
    p.arrived(p.kind + ' at once')
    time.sleep(1)
    tap.same([to for to, _ in p.copies(p.kind + ' at once')], [['a@beta.example']], '... and it goes once')
    held('delete', name)
    # more recipients than one mail may have
    m.more = p.settings() + p.desk('submit-recipients = 2\ntwo-person-above = 6\n')
    m.write_conf()
    name = hold(p, p.kind + ' in parts', to=['r%d@beta.example' % i for i in range(5)] + ['kunde@alpha.example'])
    out = held('release', name, '--rightful', '-w', 'all but one', '--json')
    rows = [json.loads(x) for x in out.splitlines()]
    tap.same([x['state'] for x in rows], ['done'] * 3, 'many recipients get it in several mails')
    p.arrived(p.kind + ' in parts', 3)
    got = [to for to, _ in p.copies(p.kind + ' in parts')]
    tap.same(sorted(sum(got, [])), ['r%d@beta.example' % i for i in range(5)], '... each once')
    tap.same(state(name)[1], ['released'] * 5 + ['held'], '... which the record tells')
    held('delete', name)
    # the second person
    m.more = p.settings() + p.desk('two-person-above = 3\ntwo-person-policies = {"bills, careful"}')
    m.write_conf()
    os.environ['SUDO_USER'] = 'anna'
    name = hold(p, p.kind + ' two persons', sender='careful@seller.example')
    out = held('release', name)
    decision = out.split('held agree ')[-1].strip()
    tap.ok(m.code == 0 and 'waits for a second person' in out and name in p.held(),
           'a policy may ask for a second person', out)
    out = held('delete', name)
    tap.ok(m.code != 0 and 'not finished' in out, '... nothing else is decided meanwhile', out)
    out = held('agree', decision)
    tap.ok(m.code != 0 and 'another person' in out, '... who is not the first', out)
    os.environ['SUDO_USER'] = 'bert'
    out = held('agree', decision)
    p.flush()
    tap.ok(m.code == 0 and p.arrived(p.kind + ' two persons') == 1, '... then it goes', out)
    tap.ok(last(name)['who'] == 'anna, agreed by bert', '... and both are on record', last(name))
    names = [hold(p, '%s four %d' % (p.kind, i)) for i in range(4)]
    out = held('release', *names, '--json')
    rows = [json.loads(x) for x in out.splitlines()]
    tap.ok([x['state'] for x in rows] == ['waiting'] * 4, 'so may a number', out)
    out = held('withdraw', rows[0]['decision'])
    tap.ok(m.code == 0 and all(n in p.held() for n in names), '... and be withdrawn', out)
    held('delete', *names[:3])
    held('delete', names[3])
    del os.environ['SUDO_USER']
    broken(p)
    if p.kind == 'Postfix':
        rewritten(p)
    # nobody at the other end
    m.more = p.settings() + 'desk {\nsubmit = "smtp://127.0.0.1:%d"\n}\n' % free_port()
    m.write_conf()
    name = hold(p, p.kind + ' unsent', to=RESOLVE)
    out = held('release', name, '--to', 'a@beta.example')
    tap.ok(m.code != 0 and 'did not take it' in out, 'a submission that fails says so', out)
    tap.same(state(name), ('held', ['held'] * 3), '... and everything stays held')
    m.more = p.settings() + p.desk()
    m.write_conf()
    out = held('release', name, '--others', '1')
    tap.ok(m.code == 0 and p.arrived(p.kind + ' unsent') == 1, '... until it works again', out)
log = m.tail() + m.trail()
tap.ok(not tells(log), 'log and audit have no identifier in clear')
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
