"""LlamaIndex: pip install llama-index-llms-openai llama-index-embeddings-openai 'llm-observatory[llama-index,openai]'"""

import observatory

observatory.init(service_name="llama-index-rag")

from llama_index.core import Document, VectorStoreIndex
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI

documents = [Document(text="It is sunny in Lisbon."), Document(text="It rains in Bergen.")]

with observatory.session("conversation-17"), observatory.user("ada"):
    index = VectorStoreIndex.from_documents(documents, embed_model=OpenAIEmbedding(model="text-embedding-3-small"))
    print(index.as_query_engine(llm=OpenAI(model="gpt-4o")).query("How is the weather in Lisbon?"))
