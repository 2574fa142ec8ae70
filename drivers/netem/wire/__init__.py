"""netem on the wire: bytes to and from frozen values, and the socket that carries them. Standard library only.

Its modules import nothing but each other, by relative imports, and the standard library: a host without this project
can be sent them as they are and import them under any name.
"""
