-module(oracle_sup).
-behaviour(supervisor).
-export([init/1]).

init([]) -> persistent_term:get(oracle_init).
