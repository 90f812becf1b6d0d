"""What the directory knows is found without a pattern, as soon as it is known, on every host."""
from rig import *

tap = Tap()
S = scratch_folder()
POLICIES = '''
policy "known" {
	sender = {"billing@seller.example"}
}
'''
ROWS = MAPPING + [
    ('AC-2', 'email', 'XYZ@contoso.example'), ('AC-2', 'billing-address', 'Muster GmbH\nHauptstraße 5\n10115 Berlin'),
    ('AC-2', 'vat-id', 'FR40303265045'), ('AC-2', 'reference', 'Q7-LLAMA-42'),
    ('AC-1', 'invoice-number', 'RE-2025-0533'), ('AC-2', 'invoice-number', 'RE-2026-0533'),
    ('AC-2', 'invoice-number', 'RE-2025-0534'), ('AC-3', 'invoice-number', 'RE-2026-0534'),
]


def run(name, m, p):
    def sent(text, subject):
        return p.send(message(subject, text))

    def held(text, what, reason='mismatch'):
        r = sent(text, what)
        out = m.tool('held', 'show', queue_id(r))
        tap.ok(queue_id(r) in p.held() and reason in out, '%s: %s is held' % (name, what), (r, out))

    def arrives(text, what):
        sent(text, name + ' ' + what)
        tap.same(p.arrived(name + ' ' + what), 1, '%s: %s is delivered' % (name, what))

    arrives('We thank you for order 12 of 2024.', 'mail that names nobody')
    held('the llama Q7-LLAMA-42 is ready', 'a number without a pattern or label')
    held('the llama q7 llama\n> 42 is ready', 'the same, wrapped and quoted')
    held('ask XYZ @contoso example', 'an address of e-mail with a blank')
    held('ask xyz (at) contoso [dot] example', 'an address of e-mail that is hidden')
    held('Hauptstr. 5, D-10115 BERLIN', 'a postal address, spelled otherwise')
    held('SIREN 303 265 045', 'the SIREN of a French VAT ID')
    held('Rechnung Nr. 0534', 'a number without its year that is others\' in each', 'either')
    arrives('Rechnung Nr. 0533', 'one that may be the own')
    held('Rechnung Nr. 0533, RE-2026-0533', 'one beside another\'s that is certain')
    arrives('IBAN DE89 3704-0044 0532 0130 00', 'the own IBAN')
    # New entries count at once, though they come by another process.
    for i in range(3):
        value = 'FRESH-%d-KIWI' % i
        arrives('about ' + value, 'what is not known yet, %d' % i)
        m.tool('directory', 'put', 'AC-2', 'reference', value)
        held('about ' + value, 'what was put a moment ago, %d' % i)
    m.load(ROWS + [('AC-2', 'reference', 'IMPORT-77-PLUM')])
    held('about IMPORT-77-PLUM', 'what was imported a moment ago')
    arrives('about FRESH-1-KIWI', 'what the import has taken away')


m = Missent(S, policies=POLICIES, mapping=ROWS)
m.start()
p = Postfix(S, 'unix:' + m.socket)
p.start()
run('SQLite', m, p)

# ---- which of several is meant? ----
with open(S + '/either.eml', 'w') as f:
    f.write(message('either', 'Rechnung Nr. 0533'))
found = {x['identifier']: x for x in json.loads(m.tool('check', '--json', '--reveal', S + '/either.eml'))['findings']
         if 'either' in x}
tap.same({k: (x['relations'], x['if-meant'], sorted(x['accounts']), x['either']) for k, x in found.items()},
         {k: ({'kunde@alpha.example': 'own'}, {'kunde@alpha.example': relation}, ['AC-1', 'AC-2'],
              [{'kind': 'invoice-number', 'identifier': other}])
          for k, relation, other in (('RE20250533', 'own', 'RE20260533'), ('RE20260533', 'other', 'RE20250533'))},
         'check --json says what else a number may mean, and which of it is the recipient\'s')

# ---- what is the house's own? ----
for i in range(5):
    with open('%s/sample%d.eml' % (S, i), 'w') as f:
        f.write(message('invoice %d' % i, 'Customer number: C-7700%d\nVAT ID DE136695976\n'
                        'Questions: support@seller.example' % i))
out = m.tool('directory', 'suggest-house', *['%s/sample%d.eml' % (S, i) for i in range(5)])
tap.ok('"house","vat-id","DE136695976"' in out and 'support@seller.example' in out, 'suggest-house names ours', out)
tap.ok('C-7700' not in out, '... and no customer', out)
out = m.tool('directory', 'suggest-house', S + '/sample0.eml')
tap.ok('too few' in out, 'one message is too few to tell', out)
m.stop()

p.stop()

# ---- the same with Redis ----
redis = Redis(S)
redis.start()
T = scratch_folder()
n = Missent(T, policies=POLICIES, directory='backend = redis\nredis = "unix:%s"\n' % redis.socket,
            mapping=ROWS)
n.start()
q = Postfix(T, 'unix:' + n.socket)
q.start()
run('Redis', n, q)
n.stop()
redis.stop()
tap.done()
