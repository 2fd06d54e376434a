"""Two services and what they say to each other: `two_services.py worker PORT` and `two_services.py shop PORT WORKER_URL`."""

import os
import sys

import observatory

role, port = sys.argv[1], int(sys.argv[2])
observatory.init(service_name=f"two-{role}")

import httpx
import openai
import uvicorn
from fastapi import FastAPI, Request

app = FastAPI()

if role == "worker":
    client = openai.AsyncOpenAI()

    @app.post("/summaries")
    async def summarize(request: Request) -> dict:
        text = (await request.json())["text"]
        answer = await client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": text}])
        return {"summary": answer.choices[0].message.content, "heard": dict(request.headers).get("baggage")}

else:

    @app.get("/ask")
    async def ask(user: str) -> dict:
        with observatory.session("visit-1"), observatory.user(user), observatory.span("shop", kind="agent"):
            async with httpx.AsyncClient() as worker:
                return (await worker.post(f"{sys.argv[3]}/summaries", json={"text": "two services"})).json()


print("pid", os.getpid(), flush=True)
uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
