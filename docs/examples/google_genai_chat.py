"""Google GenAI: pip install google-genai 'llm-observatory[google-genai]'"""

import os

import observatory

observatory.init(service_name="google-genai-chat")

from google import genai

client = genai.Client(api_key=os.environ.get("GEMINI_API_KEY"), http_options={"base_url": os.environ.get("GEMINI_BASE_URL")})

with observatory.session("conversation-17"), observatory.user("ada"):
    print(client.models.generate_content(model="gemini-2.5-flash", contents="Say hello.").text)
    for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents="Count to three."):
        print(chunk.text, end="", flush=True)
