"""Pure decisions and types: no asyncio, os, time, random, socket or logging below here."""
