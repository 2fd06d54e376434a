"""One route in each of Flask, Django and aiohttp's server, set up in their own order: `init` first, their settings after it.

Prints the addresses, serves until its standard input is closed, and ends as a program does.
"""

import asyncio
import json
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import observatory

observatory.init(service_name="web")

import django
import flask
import openai
from aiohttp import web
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

client = openai.OpenAI()


def ask(framework: str) -> str:
    answer = client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": f"asked by {framework}"}])
    return answer.choices[0].message.content


site = flask.Flask("web")
site.add_url_rule("/ask", "ask", lambda: ask("flask"))
urlpatterns = [path("ask", lambda request: HttpResponse(ask("django")))]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="k", MIDDLEWARE=["django.middleware.common.CommonMiddleware"])
django.setup()


class Silent(WSGIRequestHandler):
    def log_message(self, *args: object) -> None: ...


addresses = {}
for name, application in (("flask", site), ("django", get_wsgi_application())):
    door = make_server("127.0.0.1", 0, application, handler_class=Silent)
    addresses[name] = f"http://127.0.0.1:{door.server_port}"
    threading.Thread(target=door.serve_forever, daemon=True).start()


async def serve() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=await asyncio.to_thread(ask, "aiohttp"))

    application = web.Application()
    application.router.add_get("/ask", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    addresses["aiohttp"] = f"http://127.0.0.1:{runner.addresses[0][1]}"
    print(json.dumps(addresses), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


asyncio.run(serve())
