"""A model of what may happen to keys: operators, hosts and servers that do all they can do.

Episodes are random walks, repeatable by seed, in virtual time: real use cases over the real
sandbox application, two operators, kills, and a server with bad habits. `truth` says what must
hold; `operator` alone knows the program's use cases, so a changed API changes one module.

`python -m tests.model --episodes 1000 --seed 0` walks by hand and prints what it met. With
`--no-guard` it must meet something: every deletion then goes out unchecked.
"""
