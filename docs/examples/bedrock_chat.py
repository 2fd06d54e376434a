"""Amazon Bedrock: pip install boto3 'llm-observatory[bedrock]'"""

import observatory

observatory.init(service_name="bedrock-chat")

import boto3

client = boto3.client("bedrock-runtime")
question = {"modelId": "amazon.nova-lite-v1:0", "messages": [{"role": "user", "content": [{"text": "Say hello."}]}]}

with observatory.session("conversation-17"), observatory.user("ada"):
    print(client.converse(**question)["output"]["message"]["content"][0]["text"])
    for event in client.converse_stream(**question)["stream"]:
        print(event.get("contentBlockDelta", {}).get("delta", {}).get("text", ""), end="", flush=True)
