import type { ReactNode } from "react";

/** 16 px line icons, drawn here so that no font or file has to be fetched. They are decoration: the text beside them says the same. */
function Icon({ children, size = 16 }: { children: ReactNode; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      {children}
    </svg>
  );
}

export const TracesIcon = () => (
  <Icon>
    <path d="M2 4h9M5 8h6M8 12h6" strokeWidth="2" />
  </Icon>
);
export const StatusIcon = () => (
  <Icon>
    <path d="M1.5 8h3l2-5 3 10 2-5h3" />
  </Icon>
);
export const ErrorIcon = ({ size = 14 }: { size?: number }) => (
  <Icon size={size}>
    <path d="M8 1.5 15 14H1z M8 6v4 M8 12v.01" />
  </Icon>
);
export const CheckIcon = () => (
  <Icon size={14}>
    <path d="m3 8.5 3.2 3.2L13 4.8" />
  </Icon>
);
export const CopyIcon = () => (
  <Icon size={14}>
    <path d="M5.5 5.5h8v8h-8z M10.5 5.5v-3h-8v8h3" />
  </Icon>
);
export const ChevronIcon = ({ turn = 0 }: { turn?: 0 | 90 | 180 | 270 }) => (
  <Icon size={12}>
    <path d="m5 3 6 5-6 5" transform={`rotate(${turn} 8 8)`} />
  </Icon>
);
export const CloseIcon = () => (
  <Icon size={14}>
    <path d="m3.5 3.5 9 9 m0-9-9 9" />
  </Icon>
);
export const SearchIcon = () => (
  <Icon size={14}>
    <path d="M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10z m3.6-1.4L14 14" />
  </Icon>
);
export const SunIcon = () => (
  <Icon>
    <path d="M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z M8 1v1.5 M8 13.5V15 M1 8h1.5 M13.5 8H15 M3 3l1 1 M12 12l1 1 M13 3l-1 1 M4 12l-1 1" />
  </Icon>
);
export const MoonIcon = () => (
  <Icon>
    <path d="M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z" />
  </Icon>
);
export const SystemIcon = () => (
  <Icon>
    <path d="M2 3h12v8H2z M6 14h4 M8 11v3" />
  </Icon>
);
export const OrphanIcon = () => (
  <Icon size={12}>
    <path d="M6.5 9.5 3 13 M9.5 6.5 13 3 M4 8 2.5 6.5a2.5 2.5 0 0 1 4-4L8 4 M12 8l1.5 1.5a2.5 2.5 0 0 1-4 4L8 12" />
  </Icon>
);
export const LiveIcon = () => (
  <svg className="icon" width="8" height="8" viewBox="0 0 8 8" aria-hidden="true">
    <circle cx="4" cy="4" r="3.5" fill="currentColor" />
  </svg>
);
export const FilterIcon = () => (
  <Icon>
    <path d="M2 3h12l-4.5 5.5V13l-3 1.5v-6z" />
  </Icon>
);
export const ShareIcon = () => (
  <Icon>
    <path d="M8 10V2 M5 4.5 8 1.5l3 3 M4 7.5H2.5v7h11v-7H12" />
  </Icon>
);
export const CompareIcon = () => (
  <Icon>
    <path d="M2 3h5v10H2z M9 3h5v10H9z" />
  </Icon>
);
export const SessionsIcon = () => (
  <Icon>
    <path d="M2 3h9v6H6l-3 2.5V9H2z M13 6h1v6h-1v2l-2.5-2H7" />
  </Icon>
);
export const LogsIcon = () => (
  <Icon>
    <path d="M2 4h3 M7 4h7 M2 8h3 M7 8h5 M2 12h3 M7 12h7" />
  </Icon>
);
export const SqlIcon = () => (
  <Icon>
    <path d="M2 4c0-1.2 2.7-2 6-2s6 .8 6 2-2.7 2-6 2-6-.8-6-2z M2 4v8c0 1.2 2.7 2 6 2s6-.8 6-2V4 M2 8c0 1.2 2.7 2 6 2s6-.8 6-2" />
  </Icon>
);
export const SettingsIcon = () => (
  <Icon>
    <path d="M2 4h7 M13 4h1 M2 12h1 M7 12h7 M11 2.5v3 M5 10.5v3 M2 8h9 M9 6.5v3" />
  </Icon>
);
export const ErrorsIcon = () => <ErrorIcon size={16} />;
export const NewIcon = () => (
  <Icon size={14}>
    <path d="M8 1.5v3 M8 11.5v3 M1.5 8h3 M11.5 8h3 M3.4 3.4l2 2 M10.6 10.6l2 2 M12.6 3.4l-2 2 M5.4 10.6l-2 2" />
  </Icon>
);
export const OverviewIcon = () => (
  <Icon>
    <path d="M2 13.5h12 M3.5 11V8 M6.5 11V4.5 M9.5 11V6.5 M12.5 11V2.5" />
  </Icon>
);
export const ExploreIcon = () => (
  <Icon>
    <path d="M2 3.5h12 M2 8h5.5 M2 12.5h4 M11 12.2a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4z m2 -.6 1.6 1.7" />
  </Icon>
);
export const ModelsIcon = () => (
  <Icon>
    <path d="M8 1.7 13.5 4.8v6.4L8 14.3 2.5 11.2V4.8z M2.5 4.8 8 8l5.5-3.2 M8 8v6.3" />
  </Icon>
);
export const CostIcon = () => (
  <Icon>
    <path d="M8 1.5v13 M11.3 4.7C10.6 3.9 9.5 3.5 8 3.5c-1.900 0-3.200.8-3.200 2.200 0 3.100 6.500 1.500 6.500 4.600 0 1.400-1.400 2.200-3.300 2.200-1.600 0-2.800-.5-3.500-1.400" />
  </Icon>
);
export const UsersIcon = () => (
  <Icon>
    <path d="M6 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z M1.500 13.500c0-2.500 2-4 4.500-4s4.500 1.500 4.500 4 M10.500 2.700a2.500 2.500 0 0 1 0 4.600 M12 9.900c1.600.5 2.500 1.800 2.500 3.600" />
  </Icon>
);
export const PinIcon = () => (
  <Icon size={14}>
    <path d="M5.500 2h5 M6.500 2v4.500L4.500 9.500h7L9.500 6.500V2 M8 9.500V14" />
  </Icon>
);
export const StarIcon = () => (
  <Icon size={14}>
    <path d="m8 2 1.800 3.900 4.200.5-3.100 2.900.8 4.200L8 11.400l-3.700 2.100.8-4.200L2 6.400l4.200-.5z" />
  </Icon>
);
