"""An application that knows nothing of the observatory: `plain.py TEXT`. It starts a second Python, which asks, too."""

import subprocess
import sys

import openai

print(sys.argv[1:], __name__)
openai.OpenAI().chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": sys.argv[1]}])
if len(sys.argv) == 2:
    subprocess.run([sys.executable, __file__, "from the child", "last"], check=True)
