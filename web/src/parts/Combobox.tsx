import { type KeyboardEvent, type RefObject, useId, useState } from "react";
import { count } from "../format/number";
import { CloseIcon, SearchIcon } from "./icons";
import "./combobox.css";

export interface Choice {
  name: string;
  count: number | null;
}

interface Props {
  label: string;
  placeholder: string;
  value: string;
  choices: readonly Choice[];
  onChoose: (value: string) => void;
  inputRef: RefObject<HTMLInputElement | null>;
}

const SHOWN = 12;

/** A text field with a list of known values (WAI-ARIA combobox). Any text may be entered; enter or leaving takes it. */
export function Combobox({ label, placeholder, value, choices, onChoose, inputRef }: Props) {
  const id = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const [active, setActive] = useState(-1);
  const open = typed !== null;
  const needle = (typed ?? "").trim().toLowerCase();
  const matching = choices.filter((choice) => needle === "" || typed === value || choice.name.toLowerCase().includes(needle));
  const shown = matching.slice(0, SHOWN);

  const choose = (text: string) => {
    setTyped(null);
    setActive(-1);
    if (text.trim() !== value) onChoose(text.trim());
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) setTyped(value);
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (shown.length) setActive((active + step + shown.length) % shown.length);
    } else if (event.key === "Enter") {
      choose(shown[active]?.name ?? typed ?? value);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (open) setTyped(null);
      else inputRef.current?.blur();
      setActive(-1);
    }
  };

  return (
    <div className="combobox">
      <SearchIcon />
      <input
        ref={inputRef}
        className="field"
        role="combobox"
        aria-label={label}
        aria-expanded={open && shown.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
        placeholder={placeholder}
        spellCheck={false}
        autoComplete="off"
        value={typed ?? value}
        onFocus={(event) => {
          setTyped(value);
          event.target.select();
        }}
        onBlur={() => {
          if (typed !== null) choose(typed);
        }}
        onChange={(event) => {
          setTyped(event.target.value);
          setActive(-1);
        }}
        onKeyDown={onKeyDown}
      />
      {value !== "" && (
        <button type="button" className="quiet combobox-clear" aria-label={`clear ${label}`} onClick={() => choose("")}>
          <CloseIcon />
        </button>
      )}
      {open && shown.length > 0 && (
        <ul className="popup combobox-list" role="listbox" id={`${id}-list`} aria-label={label}>
          {shown.map((choice, index) => (
            <li
              key={choice.name}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              // before the field loses focus and takes what was typed
              onPointerDown={(event) => {
                event.preventDefault();
                choose(choice.name);
                inputRef.current?.blur();
              }}
            >
              <span>{choice.name}</span>
              {choice.count !== null && <span className="number faint">{count(choice.count)}</span>}
            </li>
          ))}
          {matching.length > SHOWN && <li className="faint combobox-more">{count(matching.length - SHOWN)} more, type to find</li>}
        </ul>
      )}
    </div>
  );
}
