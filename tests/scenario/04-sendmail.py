"""Every verdict on a real Sendmail."""
from sendmail import *

tap = Tap()
S = scratch_folder()
POLICIES = POLICY + ''.join('''
policy "%(w)s" {
	sender = {"%(w)s@seller.example"}
	kinds = {"customer-number"}
	on-mismatch = %(w)s
}
''' % {'w': w} for w in ('tag', 'reject', 'tempfail'))
m = Missent(S, policies=POLICIES, mapping=MAPPING)
p = Sendmail(S, 'unix:' + m.socket)
why = p.unpack() if os.geteuid() == 0 else 'it needs root for a host name of its own'
if why:
    tap.skip('Sendmail', why)
    tap.done()
m.start()
p.start()

r = p.send(message('right one', RIGHT))
tap.ok(r[0] == 250, 'a right message is taken', r)
tap.same(p.arrived('Subject: right one'), 1, '... and delivered')
r = p.send(message('wrong one', WRONG))
tap.ok(r[0] == 250, 'a wrong message is taken', r)
wrong = queue_id_of(r)
tap.ok(wait_for(lambda: wrong in p.held()), '... and quarantined', p.held())
tap.same(p.arrived('Subject: wrong one', seconds=3), 0, '... and not delivered')
tap.ok('missent: mismatch' in p.reasons(), 'mailq -qQ shows the reason', p.reasons())
out = m.tool('held', 'show', wrong)
tap.ok('mismatch' in out and 'AC-2' in out, 'the record has the same queue ID', out)
p.send(message('by tag', WRONG, sender='tag@seller.example'), sender='tag@seller.example')
tap.same(p.arrived('Subject: by tag'), 1, 'action tag delivers')
tagged = [x for x in p.delivered() if 'by tag' in x][0]
tap.ok('X-Missent: tag; reasons="mismatch"' in tagged, '... with its header', tagged)
r = p.send(message('by reject', WRONG, sender='reject@seller.example'), sender='reject@seller.example')
tap.ok(r[0] == 550 and '5.7.1' in r[1] and 'mismatch' in r[1], 'action reject answers 550', r)
r = p.send(message('by tempfail', WRONG, sender='tempfail@seller.example'),
           sender='tempfail@seller.example')
tap.ok(r[0] == 451 and '4.7.1' in r[1], 'action tempfail answers 451', r)
with smtplib.SMTP('127.0.0.1', p.port, timeout=60) as smtp:
    a = p.send_on(smtp, message('session first', WRONG), ['kunde@alpha.example'])
    b = p.send_on(smtp, message('session second', RIGHT), ['kunde@alpha.example'])
tap.ok(queue_id_of(a) in p.held(), 'in one session the first is held', a)
tap.same(p.arrived('Subject: session second'), 1, '... and the second is delivered')
p.send(message('no policy', WRONG, sender='ceo@seller.example'), sender='ceo@seller.example')
tap.same(p.arrived('Subject: no policy'), 1, 'a body that no policy needs is skipped, and delivered')
m.kill()
r = p.send(message('no milter', WRONG))
tap.ok(r[0] in (421, 451), 'with F=T and missentd killed: a temporary failure', r)
m.start()
p.release(wrong)
tap.same(p.arrived('Subject: wrong one'), 1, 'released, it goes out and is not judged again')
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
