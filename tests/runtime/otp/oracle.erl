%% Plays the scenarios of scenarios.terms on a real OTP supervisor and prints what happened, one term a line:
%% {Name, Trace, Results, Children, Alive}. A trace holds "+x" (x started), "-x" (x left), "!x" (x could not start).
-module(oracle).
-export([main/0, child/1, signals/0]).

main() ->
    process_flag(trap_exit, true),
    logger:set_primary_config(level, none),
    {ok, Scenarios} = file:consult("scenarios.terms"),
    [io:format("~0p.~n", [play(S)]) || S <- Scenarios],
    [io:format("~0p.~n", [S]) || S <- signals()],
    halt(0).

play({Name, Strategy, Intensity, Auto, Children, Failing, Steps}) ->
    ets:new(log, [named_table, public, ordered_set]),
    ets:new(failing, [named_table, public]),
    ets:new(where, [named_table, public]),
    [ets:insert(failing, F) || F <- Failing],
    Flags = #{strategy => Strategy, intensity => Intensity, period => 3600, auto_shutdown => Auto},
    Specs = [spec(C) || C <- Children],
    {Results, Kids, Alive} =
        case supervisor:start_link(sup_callback(Flags, Specs), []) of
            {ok, Sup} ->
                R = [step(Sup, S) || S <- Steps],
                settle(Sup),
                A = is_process_alive(Sup),
                K = case A of true -> kids(Sup); false -> [] end,
                stop(Sup),
                {R, K, A};
            {error, _} ->
                {[failed_to_start], [], false}
        end,
    Trace = [T || {_, T} <- ets:tab2list(log)],
    [ets:delete(T) || T <- [log, failing, where]],
    {Name, Trace, Results, Kids, Alive}.

%% A callback module made on the fly: supervisor needs one with init/1.
sup_callback(Flags, Specs) ->
    persistent_term:put(oracle_init, {ok, {Flags, Specs}}),
    oracle_sup.

spec({Id, Restart, Significant}) ->
    #{id => Id, start => {oracle, child, [Id]}, restart => Restart, significant => Significant, shutdown => 5000}.

child(Id) -> proc_lib:start_link(erlang, apply, [fun() -> init(Id) end, []]).

init(Id) ->
    process_flag(trap_exit, true),
    case ets:lookup(failing, Id) of
        [{Id, N}] when N > 0 ->
            ets:insert(failing, {Id, N - 1}),
            log("!", Id),
            exit(cannot_start);
        _ ->
            ets:insert(where, {Id, self()}),
            log("+", Id),
            proc_lib:init_ack({ok, self()}),
            loop(Id)
    end.

loop(Id) ->
    receive
        {'EXIT', _, Reason} -> log("-", Id), exit(Reason);
        crash -> log("-", Id), exit(crash);
        leave -> log("-", Id), exit(shutdown);
        return -> log("-", Id), exit(normal)
    end.

log(Sign, Id) -> ets:insert(log, {erlang:unique_integer([monotonic]), Sign ++ atom_to_list(Id)}).

step(Sup, Step) ->
    Result = case is_process_alive(Sup) of
        true -> catch act(Sup, Step);
        false -> dead
    end,
    settle(Sup),
    Result.

act(_, {fail, Id, N}) -> ets:insert(failing, {Id, N}), ok;
act(_, {kill, Id}) -> P = pid(Id), log("-", Id), exit(P, kill), gone(P);
act(_, {How, Id}) when How =:= crash; How =:= leave; How =:= return -> P = pid(Id), P ! How, gone(P);
act(_, {together, Ids}) ->
    Ps = [pid(I) || I <- Ids],
    [P ! crash || P <- Ps], [gone(P) || P <- Ps], ok;
act(Sup, {start, Id, Restart}) -> answer(supervisor:start_child(Sup, spec({Id, Restart, false})));
act(Sup, {restart, Id}) -> answer(supervisor:restart_child(Sup, Id));
act(Sup, {terminate, Id}) -> answer(supervisor:terminate_child(Sup, Id));
act(Sup, {delete, Id}) -> answer(supervisor:delete_child(Sup, Id)).

answer(ok) -> ok;
answer({ok, _}) -> ok;
answer({error, {already_started, _}}) -> already_started;
answer({error, Why}) when is_atom(Why), Why =/= cannot_start -> Why;
answer({error, _}) -> failed_to_start.

pid(Id) -> [{Id, P}] = ets:lookup(where, Id), P.

gone(P) ->
    M = monitor(process, P),
    receive {'DOWN', M, _, _, _} -> ok end.

settle(Sup) ->
    timer:sleep(10),
    [catch supervisor:count_children(Sup) || _ <- lists:seq(1, 5)].

kids(Sup) ->
    [{Id, case P of undefined -> stopped; restarting -> restarting; _ -> running end}
     || {Id, P, _, _} <- lists:reverse(supervisor:which_children(Sup))].

stop(Sup) ->
    M = monitor(process, Sup),
    exit(Sup, shutdown),
    receive {'DOWN', M, _, _, _} -> ok end.

%% -- what exit signals do: {signal, How, Reason, Traps, What}

signals() ->
    [{signal, How, Reason, Traps, signal(How, Reason, Traps)}
     || How <- [exit, link], Reason <- [normal, shutdown, boom, kill], Traps <- [false, true]].

signal(How, Reason, Traps) ->
    Me = self(),
    P = spawn(fun() -> process_flag(trap_exit, Traps), Me ! {self(), set}, victim(Me) end),
    receive {P, set} -> ok end,
    M = monitor(process, P),
    case How of
        exit -> exit(P, Reason);
        link ->
            Q = spawn(fun() -> link(P), receive go -> exit(Reason) end end),
            case Reason of
                kill -> timer:sleep(10), exit(Q, kill);
                _ -> Q ! go
            end
    end,
    receive
        {P, message, Why} -> demonitor(M, [flush]), exit(P, kill), {message, Why};
        {'DOWN', M, _, _, Why} -> {dies, Why}
    after 50 -> demonitor(M, [flush]), exit(P, kill), nothing
    end.

victim(Me) ->
    receive {'EXIT', _, Why} -> Me ! {self(), message, Why}, victim(Me) end.
