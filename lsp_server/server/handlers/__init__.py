"""One module a group of methods. Each has ``register(server, session)``; its handlers only convert and delegate."""
