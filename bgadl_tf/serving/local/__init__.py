"""An exported model in this process, asked as one on a server is: no sockets, no ports."""
