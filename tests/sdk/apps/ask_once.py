"""One call of a model, and whether all of it was sent."""

import openai

import observatory

observatory.init()
openai.OpenAI().chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "once"}])
print(observatory.flush(20))
