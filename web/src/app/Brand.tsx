import classes from "./Brand.module.css";

export function Brand() {
  return (
    <span className={classes.brand}>
      <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
        <rect className={classes.tile} width="32" height="32" rx="8" />
        <path
          fill="#fff"
          d="M16 5.500c.9 6.400 3.600 9.600 10.500 10.500C19.600 16.900 16.900 19.600 16 26.500 15.100 19.600 12.400 16.900 5.500 16 12.400 15.100 15.100 11.900 16 5.500Z"
        />
      </svg>
      Vega
    </span>
  );
}
