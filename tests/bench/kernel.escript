#!/usr/bin/env escript
%% The kernel benchmark's operations in Erlang/OTP, as JSON: wall-clock microseconds for one, bytes for an idle process.

-module(kernel_bench).
-mode(compile).
-behaviour(supervisor).
-export([main/1, init/1, start_child/1, child/1]).

main(Arguments) ->
    logger:set_primary_config(level, none),
    process_flag(trap_exit, true),
    Scale = case Arguments of ["--quick"] -> 10; _ -> 1 end,
    Rows = [{spawn, 200000, fun spawns/1}, {round_trip, 200000, fun round_trips/1}, {one_way, 1000000, fun one_way/1},
            {notification, 50000, fun notifications/1}, {fan_in, 10000, fun fan_in/1}, {restart, 20000, fun restarts/1},
            {one_for_all, 1000, fun one_for_all/1}],
    Times = [{Name, median([Run(N) / N || N <- lists:duplicate(3, max(1000, Count div Scale))])}
             || {Name, Count, Run} <- Rows],
    Idle = [{list_to_atom("idle_" ++ integer_to_list(N)), idle(N)} || N <- [10000, 100000]],
    Pairs = [io_lib:format("\"~s\": ~.3f", [Name, float(Value)]) || {Name, Value} <- Times ++ Idle],
    io:format("{~s}~n", [lists:join(", ", Pairs)]).

median(List) -> lists:nth(length(List) div 2 + 1, lists:sort(List)).

timed(Work) -> element(1, timer:tc(Work)).

spawns(N) ->
    Self = self(),
    timed(fun() -> [begin spawn(fun() -> Self ! started end), receive started -> ok end end || _ <- lists:seq(1, N)] end).

round_trips(N) ->
    Echo = spawn_link(fun echo/0),
    timed(fun() -> [begin Echo ! {self(), X}, receive {answer, X} -> ok end end || X <- lists:seq(1, N)] end).

echo() -> receive {From, X} -> From ! {answer, X}, echo() end.

one_way(N) ->
    Self = self(),
    Reader = spawn_link(fun() -> read(N), Self ! done end),
    timed(fun() -> [Reader ! X || X <- lists:seq(1, N)], receive done -> ok end end).

read(0) -> ok;
read(N) -> receive _ -> read(N - 1) end.

notifications(N) ->
    Pids = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, N)],
    Monitored = [{Pid, monitor(process, Pid)} || Pid <- Pids],
    timed(fun() -> [begin exit(Pid, kill), receive {'DOWN', Ref, _, _, _} -> ok end end || {Pid, Ref} <- Monitored] end).

fan_in(N) ->
    Pids = [spawn_link(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, N)],
    timed(fun() ->
        [exit(Pid, kill) || Pid <- Pids],
        [receive {'EXIT', _, killed} -> ok end || _ <- Pids]
    end).

restarts(N) ->
    {ok, Sup} = supervisor:start_link(?MODULE, {one_for_one, 1, self()}),
    receive {started, First} -> ok end,
    Time = timed(fun() -> lists:foldl(fun(_, Pid) -> exit(Pid, crash), receive {started, Next} -> Next end end,
                                      First, lists:seq(1, N)) end),
    stop(Sup),
    Time.

one_for_all(N) ->
    {ok, Sup} = supervisor:start_link(?MODULE, {one_for_all, N, self()}),
    [First | _] = [receive {started, Pid} -> Pid end || _ <- lists:seq(1, N)],
    Time = timed(fun() -> exit(First, crash), [receive {started, _} -> ok end || _ <- lists:seq(1, N)] end),
    stop(Sup),
    Time.

stop(Sup) ->
    unlink(Sup),
    Ref = monitor(process, Sup),
    exit(Sup, shutdown),
    receive {'DOWN', Ref, _, _, _} -> ok end.

idle(N) ->
    erlang:garbage_collect(),
    Before = erlang:memory(processes),
    Pids = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, N)],
    timer:sleep(200),
    After = erlang:memory(processes),
    [exit(Pid, kill) || Pid <- Pids],
    (After - Before) / N.

init({Strategy, N, Watcher}) ->
    {ok, {#{strategy => Strategy, intensity => 1000000000, period => 1},
          [#{id => Id, start => {?MODULE, start_child, [Watcher]}} || Id <- lists:seq(1, N)]}}.

start_child(Watcher) -> {ok, proc_lib:spawn_link(?MODULE, child, [Watcher])}.

child(Watcher) ->
    Watcher ! {started, self()},
    receive stop -> ok end.
