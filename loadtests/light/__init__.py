"""The light client: a raw WebSocket connection that speaks Socket.IO and costs next to nothing, on asyncio.

The benchmark (`loadtests.bench`) counts with it, the holder (`loadtests.connections`) keeps an account with it.
"""
