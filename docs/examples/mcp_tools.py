"""Model Context Protocol: pip install mcp 'llm-observatory[mcp]'"""

import asyncio

import observatory

observatory.init(service_name="mcp-tools")

from mcp import Client
from mcp.server.mcpserver import MCPServer

server = MCPServer("weather")


@server.tool()
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It is sunny in {city}."


async def main() -> None:
    async with Client(server) as client:
        print(await client.call_tool("get_weather", {"city": "Lisbon"}))


with observatory.session("conversation-17"), observatory.user("ada"):
    asyncio.run(main())
