import classes from "./Gauge.module.css";

interface GaugeProps {
  /** What is measured, for those who do not see the bar. */
  label: string;
  used: number;
  /** null: without a limit. */
  most: number | null;
  text: string;
}

/** How much of a limit is used: flagged from 80 % on, and when it is reached. */
export function Gauge({ label, used, most, text }: GaugeProps) {
  const share = most === null || most <= 0 ? (most === 0 && used > 0 ? 1 : 0) : Math.min(1, used / most);
  const tone = share >= 1 ? "bad" : share >= 0.8 ? "warn" : "plain";
  return (
    <span className={classes.gauge}>
      <span
        className={classes.track}
        hidden={most === null}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={most ?? Math.max(used, 1)}
        aria-valuenow={Math.min(used, most ?? used)}
        aria-valuetext={text}
      >
        <span className={classes.fill} data-tone={tone} style={{ width: `${share * 100}%` }} />
      </span>
      <span className={classes.text}>{text}</span>
    </span>
  );
}
