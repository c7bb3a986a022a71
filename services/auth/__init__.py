"""Who is who: accounts, guests, and the access tokens that gateways ask about."""
