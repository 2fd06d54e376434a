import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, type RefObject, useId, useState } from "react";
import { about } from "../format/estimate";
import { short } from "../format/number";
import { CloseIcon, SearchIcon } from "../parts/icons";
import { fieldsQuery, valuesQuery } from "./around";
import { condition } from "./condition";
import { wordAt } from "./query";
import type { ExploreSearch } from "./search";

interface Props {
  search: ExploreSearch;
  onSearch: (q: string | undefined) => void;
  inputRef: RefObject<HTMLInputElement | null>;
  wrong: string | null; // what the server says against the filter
}

interface Choice {
  text: string; // what takes the place of the word
  label: string;
  about: string;
  done: boolean; // a whole condition, or only the name of a field
}

const SHOWN = 12;

/** The filter, in its language, with names and values to choose from as one types (WAI-ARIA combobox). */
export function SearchBar({ search, onSearch, inputRef, wrong }: Props) {
  const id = useId();
  const navigate = useNavigate();
  const [typed, setTyped] = useState<string | null>(null);
  const [caret, setCaret] = useState(0);
  const [active, setActive] = useState(-1);
  const [open, setOpen] = useState(false);
  const q = typed ?? search.q ?? "";
  const choices = useChoices(search, open ? q : null, caret);

  const apply = (text: string) => {
    setOpen(false);
    setActive(-1);
    setTyped(null);
    const trimmed = text.trim();
    if (/^[0-9a-f]{32}$/i.test(trimmed)) void navigate({ to: "/traces/$traceId", params: { traceId: trimmed.toLowerCase() } });
    else if (trimmed !== (search.q ?? "")) onSearch(trimmed || undefined);
  };
  const choose = (choice: Choice) => {
    const word = wordAt(q, caret);
    const text = q.slice(0, word.start) + choice.text + (choice.done ? " " : "");
    const next = text + q.slice(word.end).trimStart();
    setTyped(next);
    setActive(-1);
    setCaret(text.length);
    requestAnimationFrame(() => inputRef.current?.setSelectionRange(text.length, text.length));
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const chosen = choices[active];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      if (choices.length) setActive((active + (event.key === "ArrowDown" ? 1 : -1) + choices.length + (active < 0 && event.key === "ArrowUp" ? 1 : 0)) % choices.length);
    } else if (event.key === "Enter" || (event.key === "Tab" && chosen)) {
      event.preventDefault();
      if (chosen) choose(chosen);
      else apply(q);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (open && choices.length) setOpen(false);
      else {
        setTyped(null);
        inputRef.current?.blur();
      }
      setActive(-1);
    }
  };

  return (
    <div className="searchbar" role="search">
      <SearchIcon />
      <input
        ref={inputRef}
        className="field mono"
        role="combobox"
        aria-label="filter"
        aria-expanded={open && choices.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
        aria-invalid={wrong !== null}
        aria-describedby={wrong === null ? undefined : `${id}-wrong`}
        placeholder={'filter: model:gpt-4o cost>0.01 status:error "some words", or a trace id'}
        spellCheck={false}
        autoComplete="off"
        value={q}
        onFocus={(event) => {
          setOpen(true);
          setCaret(event.target.selectionStart ?? q.length);
        }}
        onBlur={() => {
          setOpen(false);
          if (typed !== null) apply(typed);
        }}
        onChange={(event) => {
          setTyped(event.target.value);
          setCaret(event.target.selectionStart ?? event.target.value.length);
          setActive(-1);
          setOpen(true);
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
        onKeyDown={onKeyDown}
      />
      {q !== "" && (
        <button type="button" className="quiet searchbar-clear" aria-label="clear the filter" onPointerDown={(event) => event.preventDefault()} onClick={() => apply("")}>
          <CloseIcon />
        </button>
      )}
      {open && choices.length > 0 && (
        <ul className="popup searchbar-list" role="listbox" id={`${id}-list`} aria-label="names and values">
          {choices.map((choice, index) => (
            <li
              key={choice.text}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              // before the field loses focus and takes what was typed
              onPointerDown={(event) => {
                event.preventDefault();
                choose(choice);
              }}
            >
              <span className="mono">{choice.label}</span>
              <span className="faint">{choice.about}</span>
            </li>
          ))}
        </ul>
      )}
      {wrong !== null && (
        <pre className="wrong searchbar-wrong" role="alert" id={`${id}-wrong`}>
          {wrong}
        </pre>
      )}
    </div>
  );
}

/** What the word at the caret may become. `q` null: nobody is typing. */
function useChoices(search: ExploreSearch, q: string | null, caret: number): Choice[] {
  const word = wordAt(q ?? "", caret);
  const fields = useQuery({ ...fieldsQuery(search.of), enabled: q !== null }).data?.fields ?? [];
  const field = word.field === null ? undefined : fields.find(({ name, also }) => name === word.field || also.includes(word.field ?? ""));
  const values = useQuery({ ...valuesQuery(search, field?.name ?? "", word.typed), enabled: q !== null && field?.values === true && field.words.length === 0 });
  if (q === null) return [];
  if (word.field === null) {
    const typed = word.typed.toLowerCase();
    return fields
      .filter(({ name, also }) => [name, ...also].some((one) => one.startsWith(typed)))
      .slice(0, SHOWN)
      .map(({ name, about, kind }) => ({ text: `${name}${COMPARED.has(kind) ? ">" : ":"}`, label: name, about, done: false }));
  }
  if (!field) return [];
  if (field.words.length) return field.words.filter((value) => value.startsWith(word.typed)).map((value) => ({ text: `${word.field ?? ""}:${value}`, label: value, about: "", done: true }));
  if (!field.values || !values.data) return [];
  return values.data.values.map(({ value, count, standard_error }) => ({ text: condition(word.field ?? "", value), label: value, about: `${about(standard_error?.count)}${short(count)}`, done: true }));
}

const COMPARED = new Set(["count", "number", "duration", "seconds", "time", "money", "dollars"]);
