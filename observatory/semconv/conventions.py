"""Which attribute keys feed which columns, of all conventions: a new convention or a rename is a row here, in the language of `routes.py`.

Per column the name of the current OpenTelemetry GenAI convention comes first, then the others; where the order is another, the reason
stands beside it. A key that no recorded payload carries names its source in a comment: `semconv` is the OpenTelemetry GenAI convention
(with what it deprecated), the others are the constants of the libraries themselves.

What no plain row can say is made later, from the attributes that stay: JSON in strings, times of events, names of scopes.
"""

from __future__ import annotations

ORIGIN = """
service_name  resource  service.name
environment   resource  deployment.environment.name
environment   resource  deployment.environment
environment   resource  langfuse.environment
project       resource  observatory.project  # ours
"""

# OTLP's own `event_name` field, when it is set, wins over the older attribute.
LOGS = "event_name  span  event.name  # semconv until 1.36, and what Node and pydantic-ai still send\n"

_CONVENTION = """
# Whose names a span speaks. A scope that is known says it for all its spans; of two keys the more particular does, as wrappers add theirs
# to what they wrap.
convention  scope  strands.telemetry.tracer                             *=strands
convention  scope  gcp.vertex.agent                                     *=google_adk
convention  scope  litellm                                              *=litellm
convention  scope  gen_ai                                               *=vercel  # AI SDK 7
convention  scope  pydantic-ai                                          *=logfire
convention  scope  traceloop.tracer                                     *=openllmetry
convention  scope  opentelemetry.instrumentation.openai.v1              *=openllmetry
convention  scope  opentelemetry.instrumentation.anthropic              *=openllmetry
convention  scope  opentelemetry.instrumentation.langchain              *=openllmetry
convention  scope  opentelemetry.instrumentation.openai_agents          *=openllmetry  # OpenLLMetry, as are the next
convention  scope  opentelemetry.instrumentation.openai.v0              *=openllmetry  # OpenLLMetry
convention  scope  opentelemetry.instrumentation.llamaindex             *=openllmetry  # OpenLLMetry
convention  scope  opentelemetry.instrumentation.bedrock                *=openllmetry  # OpenLLMetry
convention  scope  opentelemetry.instrumentation.cohere                 *=openllmetry  # OpenLLMetry
convention  scope  opentelemetry.instrumentation.groq                   *=openllmetry  # OpenLLMetry
convention  scope  opentelemetry.instrumentation.mistralai              *=openllmetry  # OpenLLMetry
convention  scope  opentelemetry.instrumentation.ollama                 *=openllmetry  # OpenLLMetry
convention  span  langfuse.observation.type      *=langfuse
convention  span  openinference.span.kind        *=openinference
convention  span  langsmith.span.kind            *=langsmith
convention  span  ai.operationId                 *=vercel
convention  span  traceloop.span.kind            *=openllmetry
convention  span  llm.request.type               *=openllmetry
convention  span  gen_ai.is_streaming            *=openllmetry
convention  span  gen_ai.prompt.0.role           *=openllmetry
convention  span  telemetry.sdk.name             openlit=openlit
convention  span  logfire.msg                    *=logfire  # Logfire, which also wraps the spans of others: after those
convention  span  gen_ai.operation.name          *=otel
convention  span  gen_ai.provider.name           *=otel
convention  span  gen_ai.system                  *=otel
convention  span  gen_ai.request.model           *=otel
convention  span  gen_ai.tool.name               *=otel
convention  span  gen_ai.usage.input_tokens      *=otel
convention  span  mcp.method.name                *=otel
"""

_KIND = """
# What a span is. Wrappers and frameworks know it better than `gen_ai.operation.name`, which OpenLLMetry sets to invoke_agent on any
# runnable and LangSmith to chat on prompt templates. `chain` is each step that is neither a call of a model nor one of the other kinds:
# workflows, tasks, templates, parsers, plans, memory, hand-overs.
@langfuse_kinds       generation=llm embedding=embedding agent=agent chain=chain tool=tool retriever=retriever evaluator=evaluator
@langfuse_kinds       guardrail=guardrail span=chain
@openinference_kinds  LLM=llm EMBEDDING=embedding AGENT=agent CHAIN=chain TOOL=tool RETRIEVER=retriever RERANKER=reranker
@openinference_kinds  GUARDRAIL=guardrail EVALUATOR=evaluator PROMPT=chain DECISION=chain
@langsmith_kinds      llm=llm embedding=embedding chain=chain tool=tool retriever=retriever prompt=chain parser=chain
@vercel_kinds         ai.generateText=agent ai.streamText=agent ai.generateObject=agent ai.streamObject=agent ai.toolCall=tool
@vercel_kinds         ai.generateText.doGenerate=llm ai.streamText.doStream=llm ai.generateObject.doGenerate=llm
@vercel_kinds         ai.streamObject.doStream=llm ai.embed=chain ai.embedMany=chain ai.embed.doEmbed=embedding
@vercel_kinds         ai.embedMany.doEmbed=embedding ai.rerank=chain ai.rerank.doRerank=reranker
@operation_kinds      chat=llm text_completion=llm generate_content=llm embeddings=embedding rerank=reranker
@operation_kinds      completion=llm chat.completions=llm text.completions=llm embedding=embedding image=llm audio=llm
@operation_kinds      execute_tool=tool invoke_agent=agent create_agent=agent retrieval=retriever vector_db_retrieve=retriever
@operation_kinds      vectordb=retriever invoke_workflow=chain plan=chain agent_step=chain execute_event_loop_cycle=chain
@operation_kinds      execute_task=chain handoff=chain chain=chain parser=chain prompt=chain fetch_response=chain
@operation_kinds      create_memory=chain search_memory=chain update_memory=chain upsert_memory=chain delete_memory=chain
@operation_kinds      create_memory_store=chain delete_memory_store=chain
observation_kind  span  langfuse.observation.type     @langfuse_kinds
observation_kind  span  openinference.span.kind       @openinference_kinds
observation_kind  span  traceloop.span.kind           workflow=chain agent=agent tool=tool
observation_kind  span  langsmith.span.kind           @langsmith_kinds
observation_kind  span  ai.operationId                @vercel_kinds
observation_kind  span  gen_ai.operation.name         @operation_kinds
observation_kind  span  llm.request.type              chat=llm completion=llm embedding=embedding rerank=reranker
observation_kind  span  traceloop.span.kind           task=chain  # what its operation is, where it has one: tasks also retrieve
observation_kind  span  mcp.method.name               tools/call=tool
observation_kind  span  gen_ai.tool.name              *=tool
observation_kind  span  tool.name                     *=tool
observation_kind  span  agent_name                    *=agent  # pydantic-ai 0.8: agent runs with the sum of usage and no operation
observation_kind  span  all_messages_events           *=agent
observation_kind  span  gen_ai.prompt.0.role          *=llm
observation_kind  span  gen_ai.completion.0.role      *=llm
observation_kind  span  llm.token_count.prompt        *=llm
observation_kind  span  gen_ai.usage.input_tokens     *=llm
observation_kind  span  gen_ai.usage.prompt_tokens    *=llm
observation_kind  span  gen_ai.usage.output_tokens    *=llm

# The operation, of the convention's own values; what else `gen_ai.operation.name` says is an application's and is kept.
@vercel_operations         ai.generateText=invoke_agent ai.streamText=invoke_agent ai.generateObject=invoke_agent
@vercel_operations         ai.streamObject=invoke_agent ai.generateText.doGenerate=chat ai.streamText.doStream=chat
@vercel_operations         ai.generateObject.doGenerate=chat ai.streamObject.doStream=chat
@vercel_operations         ai.embed.doEmbed=embeddings ai.embedMany.doEmbed=embeddings
@vercel_operations         ai.rerank.doRerank=rerank ai.toolCall=execute_tool
@openinference_operations  LLM=chat EMBEDDING=embeddings AGENT=invoke_agent TOOL=execute_tool RETRIEVER=retrieval RERANKER=rerank
@langfuse_operations       generation=chat embedding=embeddings agent=invoke_agent tool=execute_tool retriever=retrieval
@operations                chat=chat text_completion=text_completion generate_content=generate_content embeddings=embeddings
@operations                execute_tool=execute_tool invoke_agent=invoke_agent  # named, though read as they are: one look-up serves all
@operations                completion=text_completion chat.completions=chat text.completions=text_completion embedding=embeddings
@operations                vector_db_retrieve=retrieval chain= parser= prompt= *=*
# LangSmith's own operation is not to be relied on, so its kind comes first.
operation  span  langsmith.span.kind        llm=chat tool=execute_tool retriever=retrieval embedding=embeddings
operation  span  gen_ai.operation.name      @operations
operation  span  ai.operationId             @vercel_operations
operation  span  openinference.span.kind    @openinference_operations
operation  span  langfuse.observation.type  @langfuse_operations
operation  span  llm.request.type           chat=chat completion=text_completion embedding=embeddings rerank=rerank
operation  span  traceloop.span.kind        agent=invoke_agent tool=execute_tool workflow=invoke_workflow
"""

_MODEL = """
# The provider by its name in the semantic conventions where it has one. Frameworks that name themselves there are none.
@providers  openai=openai openai.chat=openai openai.responses=openai openai.completion=openai openai.embedding=openai openai.image=openai
@providers  openai.speech=openai openai.transcription=openai
@providers  anthropic=anthropic anthropic.messages=anthropic
@providers  gcp.gemini=gcp.gemini gemini=gcp.gemini google=gcp.gemini google_genai=gcp.gemini google-genai=gcp.gemini google-gla=gcp.gemini
@providers  google.generative-ai=gcp.gemini google_generativeai=gcp.gemini
@providers  gcp.vertex_ai=gcp.vertex_ai vertex_ai=gcp.vertex_ai vertexai=gcp.vertex_ai google_vertexai=gcp.vertex_ai
@providers  google-vertex=gcp.vertex_ai google.vertex=gcp.vertex_ai google.vertex.chat=gcp.vertex_ai vertex.anthropic.messages=gcp.vertex_ai
@providers  azure.ai.openai=azure.ai.openai az.ai.openai=azure.ai.openai azure=azure.ai.openai azure_openai=azure.ai.openai
@providers  azure-openai=azure.ai.openai azure.chat=azure.ai.openai azure-openai.chat=azure.ai.openai azure.responses=azure.ai.openai
@providers  azure-openai.responses=azure.ai.openai azure.embeddings=azure.ai.openai azure-openai.embeddings=azure.ai.openai
@providers  azure.ai.inference=azure.ai.inference az.ai.inference=azure.ai.inference azure_ai=azure.ai.inference
@providers  aws.bedrock=aws.bedrock aws_bedrock=aws.bedrock bedrock=aws.bedrock AWS=aws.bedrock amazon-bedrock=aws.bedrock
@providers  amazon_bedrock=aws.bedrock bedrock_converse=aws.bedrock
@providers  x_ai=x_ai xai=x_ai x-ai=x_ai xai.chat=x_ai xai.responses=x_ai
@providers  mistral_ai=mistral_ai mistral=mistral_ai mistralai=mistral_ai mistral.chat=mistral_ai mistral.embedding=mistral_ai
@providers  moonshot_ai=moonshot_ai moonshot=moonshot_ai moonshotai=moonshot_ai moonshotai.chat=moonshot_ai
@providers  ibm.watsonx.ai=ibm.watsonx.ai watsonx=ibm.watsonx.ai
@providers  cohere=cohere cohere.chat=cohere cohere.textEmbedding=cohere deepseek=deepseek deepseek.chat=deepseek groq=groq groq.chat=groq
@providers  perplexity=perplexity perplexity.chat=perplexity cerebras=cerebras cerebras.chat=cerebras openrouter=openrouter
@providers  openrouter.chat=openrouter ollama=ollama ollama.chat=ollama huggingface=huggingface replicate=replicate
@providers  together=together together_ai=together togetherai=together togetherai.chat=together
@providers  fireworks=fireworks fireworks_ai=fireworks fireworks.chat=fireworks
@providers  strands-agents= langchain= langgraph= llamaindex= llama_index= llama-index= crewai= haystack= autogen= dspy= smolagents= agno=
@providers  litellm= gcp.vertex.agent= InMemoryVectorStore= unknown= _OTHER= none= *=*
provider  span  gen_ai.provider.name                          @providers
provider  span  langsmith.metadata.ls_provider                @providers
provider  span  traceloop.association.properties.ls_provider  @providers
provider  span  gen_ai.system                                 @providers
provider  span  llm.provider                                  @providers  # whose host it is, before whose API it speaks
provider  span  llm.system                                    @providers
provider  span  ai.model.provider                             @providers
provider  span  error.llm_provider                            @providers

request_model  span  gen_ai.request.model
request_model  span  llm.request.model_name
request_model  span  embedding.model_name
request_model  span  reranker.model_name
request_model  span  ai.model.id
request_model  span  langsmith.metadata.ls_model_name
request_model  span  traceloop.association.properties.ls_model_name
request_model  span  model_name  # pydantic-ai: of agent runs

response_model  span  gen_ai.response.model
response_model  span  llm.response.model_name
response_model  span  llm.model_name  # of the response where there was one
response_model  span  ai.response.model
response_model  span  langfuse.observation.model.name

response_id  span  gen_ai.response.id
response_id  span  ai.response.id
"""

_USAGE = """
# Tokens as the span says them: whether input holds the cached ones is judged later. Totals are never taken: they are sums, and some wrong.
input_tokens  span  gen_ai.usage.input_tokens
input_tokens  span  gen_ai.usage.prompt_tokens
input_tokens  span  llm.token_count.prompt
input_tokens  span  ai.usage.inputTokens
input_tokens  span  ai.usage.promptTokens
input_tokens  span  ai.usage.tokens  # of embeddings
input_tokens  span  llm.usage.prompt_tokens  # semconv before 1.27, OpenLLMetry until 0.30

output_tokens  span  gen_ai.usage.output_tokens
output_tokens  span  gen_ai.usage.completion_tokens
output_tokens  span  llm.token_count.completion
output_tokens  span  ai.usage.outputTokens
output_tokens  span  ai.usage.completionTokens
output_tokens  span  llm.usage.completion_tokens  # semconv before 1.27, OpenLLMetry until 0.30

cache_read_tokens  span  gen_ai.usage.cache_read.input_tokens
cache_read_tokens  span  gen_ai.usage.cache_read_input_tokens
cache_read_tokens  span  llm.token_count.prompt_details.cache_read
cache_read_tokens  span  llm.token_count.prompt_details.cache_input  # openinference-semantic-conventions
cache_read_tokens  span  ai.usage.inputTokenDetails.cacheReadTokens  # AI SDK 6
cache_read_tokens  span  ai.usage.cachedInputTokens
cache_read_tokens  span  gen_ai.usage.details.cache_read_tokens  # pydantic-ai
cache_read_tokens  span  gen_ai.usage.details.cache_read_input_tokens  # pydantic-ai

cache_write_tokens  span  gen_ai.usage.cache_write.input_tokens
cache_write_tokens  span  gen_ai.usage.cache_creation.input_tokens
cache_write_tokens  span  gen_ai.usage.cache_creation_input_tokens
cache_write_tokens  span  gen_ai.usage.cache_write_input_tokens
cache_write_tokens  span  llm.token_count.prompt_details.cache_write  # openinference-semantic-conventions
cache_write_tokens  span  ai.usage.inputTokenDetails.cacheWriteTokens  # AI SDK 6
cache_write_tokens  span  gen_ai.usage.details.cache_write_tokens  # pydantic-ai
cache_write_tokens  span  gen_ai.usage.details.cache_creation_input_tokens  # pydantic-ai

cache_write_1h_tokens  span  anthropic.usage.cache_creation.ephemeral_1h_input_tokens

reasoning_tokens  span  gen_ai.usage.reasoning.output_tokens
reasoning_tokens  span  gen_ai.usage.reasoning_tokens
reasoning_tokens  span  llm.token_count.completion_details.reasoning
reasoning_tokens  span  ai.usage.outputTokenDetails.reasoningTokens  # AI SDK 6
reasoning_tokens  span  ai.usage.reasoningTokens
reasoning_tokens  span  gen_ai.usage.details.reasoning_tokens
reasoning_tokens  span  llm.usage.reasoning_tokens  # opentelemetry-semantic-conventions-ai

# `gen_ai.usage.details.audio_tokens` is of input or of output, nobody knows: not here.
input_audio_tokens  span  gen_ai.usage.audio.input_tokens  # semconv
input_audio_tokens  span  llm.token_count.prompt_details.audio
input_audio_tokens  span  gen_ai.usage.details.input_audio_tokens  # pydantic-ai

output_audio_tokens  span  gen_ai.usage.audio.output_tokens  # semconv
output_audio_tokens  span  llm.token_count.completion_details.audio
output_audio_tokens  span  gen_ai.usage.details.output_audio_tokens  # pydantic-ai

# The tier that served; the one asked for only where nothing else is said, and `auto` is none.
service_tier  span  openai.response.service_tier
service_tier  span  gen_ai.openai.response.service_tier
service_tier  span  gen_ai.response.service_tier  # LangSmith
service_tier  span  anthropic.response.service_tier
service_tier  span  openai.request.service_tier         auto= *=*  # semconv
service_tier  span  gen_ai.openai.request.service_tier  auto= *=*  # semconv until 1.36

# A reported 0 is what OpenLIT says of a model it has no price for.
reported_cost_usd  span  llm.cost.total           >0
reported_cost_usd  span  operation.cost           >0
reported_cost_usd  span  gen_ai.cost.total_cost   >0
reported_cost_usd  span  gen_ai.usage.cost        >0
"""

_OUTCOME = """
# Not gen_ai.server.time_to_first_token: Strands sends it in milliseconds, OpenLIT in seconds and for calls that did not stream.
time_to_first_token_s  span  gen_ai.response.time_to_first_chunk
time_to_first_token_s  span  gen_ai.client.operation.time_to_first_chunk
time_to_first_token_s  span  ai.response.msToFirstChunk  /1000

streaming  span  gen_ai.request.stream
streaming  span  gen_ai.is_streaming
streaming  span  llm.is_streaming
streaming  span  langsmith.request.streaming  # langsmith
streaming  span  langsmith.metadata.stream
@vercel_streams  ai.streamText.doStream=true ai.streamObject.doStream=true
@vercel_streams  ai.generateText.doGenerate=false ai.generateObject.doGenerate=false
streaming  span  ai.operationId  @vercel_streams
streaming  span  langfuse.observation.completion_start_time  *=true

finish_reasons  span  gen_ai.response.finish_reasons
finish_reasons  span  llm.finish_reason
finish_reasons  span  ai.response.finishReason
finish_reasons  span  anthropic.message.stop_reason
finish_reasons  span  gen_ai.completion.0.finish_reason

error_type        span  error.type
http_status_code  span  http.response.status_code
http_status_code  span  http.status_code
http_status_code  span  error.code  # LiteLLM; elsewhere it may be a word, which is no number

server_address  span  server.address
server_address  span  net.peer.name  # semconv until 1.20
"""

_WHO = """
# What a person chose to call the session; then the conversation, which frameworks make up (pydantic-ai for each run); then threads.
session_id  span  session.id
session_id  span  langfuse.session.id  # langfuse 2
session_id  span  traceloop.association.properties.session_id
session_id  span  langsmith.metadata.session_id
session_id  span  langsmith.trace.session_id  # langsmith; its session_name is the project
session_id  span  ai.telemetry.metadata.sessionId
session_id  span  ai.telemetry.metadata.session_id  # as sessionId, the other spelling
session_id  span  ai.settings.context.sessionId  # AI SDK 7
session_id  span  gen_ai.conversation.id
session_id  span  traceloop.association.properties.conversation_id  # a name that applications choose, as are the next
session_id  span  langsmith.metadata.conversation_id  # LangSmith groups threads by session_id, thread_id and conversation_id
session_id  span  traceloop.association.properties.chat_id  # as conversation_id
session_id  span  traceloop.association.properties.thread_id
session_id  span  langsmith.metadata.thread_id

user_id  span  user.id
user_id  span  enduser.id
user_id  span  langfuse.user.id  # langfuse 2
user_id  span  traceloop.association.properties.user_id
user_id  span  langsmith.metadata.user_id
user_id  span  ai.telemetry.metadata.userId
user_id  span  ai.telemetry.metadata.user_id  # as userId, the other spelling
user_id  span  ai.settings.context.userId  # AI SDK 7
user_id  span  gen_ai.user  # the user as it was told to the provider, as are the next
user_id  span  gen_ai.request.user
user_id  span  llm.user

agent_name  span  gen_ai.agent.name
agent_name  span  agent.name
agent_name  span  agent_name
agent_name  span  traceloop.association.properties.lc_agent_name
agent_name  span  langsmith.metadata.lc_agent_name
agent_name  span  ai.telemetry.functionId

tool_name  span  gen_ai.tool.name
tool_name  span  tool.name
tool_name  span  ai.toolCall.name

tags  span  tag.tags
tags  span  langfuse.trace.tags
tags  span  langsmith.span.tags
tags  span  ai.telemetry.metadata.tags
tags  span  tags  # Strands
tags  span  logfire.tags

prompt_name  span  gen_ai.prompt.name
prompt_name  span  langfuse.observation.prompt.name  # langfuse
prompt_name  span  traceloop.prompt.key  # opentelemetry-semantic-conventions-ai
prompt_name  span  prompt.id  # openinference-semantic-conventions

prompt_version  span  gen_ai.prompt.version
prompt_version  span  langfuse.observation.prompt.version  # langfuse
prompt_version  span  traceloop.prompt.version  # opentelemetry-semantic-conventions-ai
prompt_version  span  llm.prompt_template.version
"""

SPANS = _CONVENTION + _KIND + _MODEL + _USAGE + _OUTCOME + _WHO
