"""What tests share: clients, waiting, stacks."""
