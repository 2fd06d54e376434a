"""A process that forks after `init`, in both of Python's ways: parent and children call a model, and each sends its own."""

import multiprocessing
import os
import sys

import observatory

# nothing is sent while the children are made: what waits at the fork is the parent's alone
observatory.init(service_name="forked", delay_s=3600, spool=sys.argv[1])

import openai

client = openai.OpenAI()


def ask(who: str) -> None:
    with observatory.session(who):
        client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": who}])


if __name__ == "__main__":
    ask("before")
    child = os.fork()
    if child == 0:
        ask("child")
        sys.exit()  # as a pre-forking server's worker ends
    assert os.waitpid(child, 0)[1] == 0
    job = multiprocessing.get_context("fork").Process(target=ask, args=("job",))
    job.start()
    job.join(60)
    assert job.exitcode == 0
    ask("after")
