"""The whole system while parts of it fail: a stack of its own for each test."""
