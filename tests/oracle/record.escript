#!/usr/bin/env escript
%% Records what the supervisor of Erlang/OTP does in the classic scenarios, as JSON on standard output.
%%
%%     escript tests/oracle/record.escript > tests/oracle/otp.json      (Debian: apt-get install erlang-base)
%%
%% A scenario is a supervisor's spec and a list of steps. Each step is written down with its result and with what the
%% workers did because of it: +a started, !a failed to start, -a REASON ended. A worker says so itself before it
%% ends; a killed one cannot, so its DOWN says it. `otp_trace.py` runs the same steps on vega_trio.

-module(record).
-mode(compile).
-behaviour(supervisor).
-export([main/1, init/1, start_worker/2, start_worker/3, worker/3, start_supervisor/1]).

-define(SETTLE, 60). % ms: much longer than anything here takes, but for shutdown times, which are waited for

main(_) ->
    logger:set_primary_config(level, none),
    process_flag(trap_exit, true),
    register(recorder, spawn_link(fun() -> recorder([], #{}, #{}, #{}) end)),
    Done = [run(Scenario) || Scenario <- scenarios()],
    Lines = lists:join(<<",\n">>, [json(each(Scenario)) || Scenario <- Done]),
    Otp = list_to_binary(erlang:system_info(otp_release)),
    io:put_chars([<<"{\"otp\": \"">>, Otp, <<"\", \"scenarios\": [\n">>, Lines, <<"\n]}\n">>]).

each({Name, Spec, Steps}) ->
    #{name => Name, spec => Spec, steps => Steps}.

%% -- scenarios

w(Id) -> w(Id, #{}).
w(Id, Options) -> maps:merge(#{id => Id, restart => permanent, shutdown => 1000, kind => worker}, Options).
s(Id, Spec) -> s(Id, Spec, #{}).
s(Id, Spec, Options) ->
    maps:merge(#{id => Id, restart => permanent, shutdown => infinity, kind => supervisor, spec => Spec}, Options).
sup(Strategy, Children) -> sup(Strategy, Children, #{}).
sup(Strategy, Children, Options) ->
    maps:merge(#{strategy => Strategy, children => Children, intensity => 3, period => 60, auto_shutdown => never},
               Options).
abc(Options) -> [w(Id, Options) || Id <- [a, b, c]].

scenarios() ->
    [{<<Strategy/binary, " restarts after ", (atom_to_binary(Victim))/binary>>,
      sup(binary_to_atom(Strategy), abc(#{})), [start, {tell, Victim, crash}, which, alive, stop]}
     || Strategy <- [<<"one_for_one">>, <<"one_for_all">>, <<"rest_for_one">>], Victim <- [a, b, c]]
    ++
    [{<<"a ", (atom_to_binary(Restart))/binary, " child ends: ", (atom_to_binary(How))/binary>>,
      sup(one_for_one, [w(a, #{restart => Restart}), w(b)]), [start, {tell, a, How}, which, count, alive]}
     || Restart <- [permanent, transient, temporary], How <- [normal, shutdown, shutdown_detail, crash, kill]]
    ++
    [{<<"intensity reached, third crash in the window">>, sup(one_for_one, abc(#{}), #{intensity => 2}),
      [start, {tell, b, crash}, {tell, b, crash}, alive, {tell, b, crash}, alive]},
     {<<"intensity counts all children together">>, sup(one_for_one, abc(#{}), #{intensity => 2}),
      [start, {tell, a, crash}, {tell, b, crash}, {tell, c, crash}, alive]},
     {<<"intensity counts normal ends of permanent children">>, sup(one_for_one, abc(#{}), #{intensity => 1}),
      [start, {tell, a, normal}, {tell, a, shutdown}, alive]},
     {<<"intensity 0 allows no restart">>, sup(one_for_one, abc(#{}), #{intensity => 0}),
      [start, {tell, b, crash}, alive]},
     {<<"intensity 0 with children that are not restarted">>,
      sup(one_for_one, abc(#{restart => temporary}), #{intensity => 0}), [start, {tell, b, crash}, which, alive]},
     {<<"crashes further apart than the window">>, sup(one_for_one, abc(#{}), #{intensity => 1, period => 2}),
      [start, {tell, b, crash}, {sleep, 4200}, {tell, b, crash}, alive, {tell, b, crash}, alive]},
     {<<"a group restart counts once">>, sup(one_for_all, abc(#{}), #{intensity => 2}),
      [start, {tell, a, crash}, {tell, b, crash}, alive, {tell, c, crash}, alive]},

     {<<"a start that fails stops those before it">>, sup(one_for_one, abc(#{})),
      [{fail, c, 1}, start]},
     {<<"the first start fails">>, sup(one_for_all, abc(#{})), [{fail, a, 1}, start]},
     {<<"a nested start fails">>, sup(one_for_one, [w(a), s(in, sup(one_for_one, [w(x), w(y)])), w(b)]),
      [{fail, y, 1}, start]},
     {<<"children that decline to start">>,
      sup(one_for_one, [w(a), w(b, #{restart => transient}), w(c, #{restart => temporary})]),
      [{ignore, a, 1}, {ignore, b, 1}, {ignore, c, 1}, start, which, count, {restart, a}, which]},

     {<<"one_for_one: a restart that fails is tried again">>, sup(one_for_one, abc(#{})),
      [start, {fail, b, 2}, {tell, b, crash}, which, alive, {tell, a, crash}, alive]},
     {<<"one_for_one: a restart that fails too often">>, sup(one_for_one, abc(#{})),
      [start, {fail, b, 9}, {tell, b, crash}, alive]},
     {<<"rest_for_one: a restart that fails is tried again from there">>, sup(rest_for_one, abc(#{})),
      [start, {fail, b, 2}, {tell, b, crash}, which, alive, {tell, a, crash}, alive]},
     {<<"rest_for_one: a later one fails in the restart">>, sup(rest_for_one, abc(#{})),
      [start, {fail, c, 1}, {tell, a, crash}, which, alive]},
     {<<"one_for_all: a restart that fails stops the group first">>, sup(one_for_all, abc(#{})),
      [start, {fail, b, 2}, {tell, b, crash}, which, alive, {tell, a, crash}, alive]},
     {<<"one_for_all: another one fails in the restart">>, sup(one_for_all, abc(#{})),
      [start, {fail, c, 1}, {tell, a, crash}, which, alive]},
     {<<"one_for_all: a restart that fails too often">>, sup(one_for_all, abc(#{})),
      [start, {fail, c, 9}, {tell, a, crash}, alive]},
     {<<"a restart that declines">>, sup(one_for_one, abc(#{})),
      [start, {ignore, b, 1}, {tell, b, crash}, which, {tell, a, crash}, which]},

     {<<"calls about a child">>, sup(one_for_one, [w(a), w(b, #{restart => transient})]),
      [start, {restart, a}, {delete, a}, {terminate, a}, which, count, {terminate, a}, {start_child, w(a)},
       {start_child, w(b)}, {restart, a}, which, {tell, b, normal}, which, {delete, b}, {restart, b}, {terminate, b},
       {delete, b}, {terminate, nobody}, {restart, nobody}, {delete, nobody}, which, alive]},
     {<<"calls about a temporary child">>, sup(one_for_one, [w(a), w(t, #{restart => temporary})]),
      [start, {terminate, t}, which, {restart, t}, {start_child, w(t, #{restart => temporary})}, which,
       {start_child, w(t, #{restart => temporary})}, {tell, t, crash}, which]},
     {<<"a child started later is the last in the order">>, sup(rest_for_one, [w(a), w(b)]),
      [start, {start_child, w(c)}, which, {tell, b, crash}, stop]},
     {<<"a child started later fails">>, sup(one_for_one, [w(a)]),
      [start, {fail, c, 1}, {start_child, w(c)}, which, {start_child, w(c)}, which]},
     {<<"a child started later declines">>, sup(one_for_one, [w(a)]),
      [start, {ignore, c, 1}, {start_child, w(c)}, which, {ignore, t, 1},
       {start_child, w(t, #{restart => temporary})}, which]},
     {<<"restarting a terminated child fails and keeps its spec">>, sup(one_for_one, [w(a), w(b)]),
      [start, {terminate, a}, {fail, a, 1}, {restart, a}, which, {restart, a}, which]},
     {<<"calls are not counted">>, sup(one_for_one, [w(a)], #{intensity => 1}),
      [start, {terminate, a}, {restart, a}, {terminate, a}, {restart, a}, {tell, a, crash}, alive]},

     {<<"one_for_all starts finished and terminated children again">>,
      sup(one_for_all, [w(a, #{restart => transient}), w(b), w(c)]),
      [start, {tell, a, normal}, {terminate, c}, which, {tell, b, crash}, which]},
     {<<"rest_for_one starts finished children after it again, not those before">>,
      sup(rest_for_one, [w(a, #{restart => transient}), w(b), w(c, #{restart => transient})]),
      [start, {tell, a, normal}, {tell, c, normal}, which, {tell, b, crash}, which]},
     {<<"one_for_all: stopped temporary children are gone">>,
      sup(one_for_all, [w(a), w(t, #{restart => temporary}), w(b)]), [start, {tell, b, crash}, which, count]},
     {<<"rest_for_one: stopped temporary children are gone">>,
      sup(rest_for_one, [w(t, #{restart => temporary}), w(a), w(u, #{restart => temporary}), w(b)]),
      [start, {tell, a, crash}, which]},

     {<<"any_significant: the first that ends">>,
      sup(one_for_one, [w(a), w(b, #{restart => transient, significant => true}),
                        w(c, #{restart => transient, significant => true})], #{auto_shutdown => any_significant}),
      [start, {tell, b, crash}, alive, {tell, b, normal}, alive]},
     {<<"any_significant: a temporary one crashes">>,
      sup(one_for_one, [w(a), w(b, #{restart => temporary, significant => true})],
          #{auto_shutdown => any_significant}),
      [start, {tell, b, crash}, alive]},
     {<<"any_significant: one that is not significant ends">>,
      sup(one_for_one, [w(a, #{restart => transient}), w(b, #{restart => transient, significant => true})],
          #{auto_shutdown => any_significant}),
      [start, {tell, a, normal}, alive, which]},
     {<<"any_significant: terminating one does not count">>,
      sup(one_for_one, [w(a), w(b, #{restart => transient, significant => true})],
          #{auto_shutdown => any_significant}),
      [start, {terminate, b}, alive, which]},
     {<<"all_significant: the last that ends">>,
      sup(one_for_one, [w(a), w(b, #{restart => transient, significant => true}),
                        w(c, #{restart => temporary, significant => true})], #{auto_shutdown => all_significant}),
      [start, {tell, b, normal}, alive, {tell, c, crash}, alive]},
     {<<"all_significant: one of them terminated">>,
      sup(one_for_one, [w(a), w(b, #{restart => transient, significant => true}),
                        w(c, #{restart => transient, significant => true})], #{auto_shutdown => all_significant}),
      [start, {terminate, b}, alive, {tell, c, normal}, alive]},
     {<<"any_significant: a nested supervisor">>,
      sup(one_for_one, [w(a), s(in, sup(one_for_one, [w(x)], #{intensity => 0}),
                               #{restart => transient, significant => true})],
          #{auto_shutdown => any_significant}),
      [start, {tell, x, crash}, alive]},

     {<<"a nested supervisor gives up and is restarted, until its own gives up">>,
      sup(one_for_one, [w(a), s(in, sup(one_for_one, [w(x), w(y)], #{intensity => 1}))], #{intensity => 1}),
      [start, {tell, x, crash}, which, {tell, y, crash}, which, {tell, x, crash}, alive, {tell, x, crash}, alive]},
     {<<"a transient nested supervisor that gives up stays down">>,
      sup(one_for_one, [w(a), s(in, sup(one_for_one, [w(x)], #{intensity => 0}), #{restart => transient})]),
      [start, {tell, x, crash}, which, count, alive, {restart, in}, which]},
     {<<"a nested supervisor in a group restart">>,
      sup(one_for_all, [w(a), s(in, sup(one_for_one, [w(x), w(y)])), w(b)]),
      [start, {tell, b, crash}, which, count, stop]},
     {<<"a nested supervisor whose restart fails">>,
      sup(one_for_one, [w(a), s(in, sup(one_for_one, [w(x), w(y)], #{intensity => 0}))]),
      [start, {fail, y, 2}, {tell, x, crash}, which, alive]},
     {<<"terminating a nested supervisor">>, sup(one_for_one, [s(in, sup(one_for_one, [w(x), w(y)])), w(a)]),
      [start, {terminate, in}, which, count, {restart, in}, which]},

     {<<"a child that does not leave is killed after its shutdown time">>,
      sup(one_for_one, [w(a), w(b, #{shutdown => 200, stubborn => true}), w(c)]), [start, stop]},
     {<<"a child that does not leave is terminated">>,
      sup(one_for_one, [w(a), w(b, #{shutdown => 200, stubborn => true})]), [start, {terminate, b}, which]},
     {<<"brutal_kill">>, sup(one_for_one, [w(a), w(b, #{shutdown => brutal_kill}), w(c)]), [start, stop]},
     {<<"a stubborn sibling in a group restart">>,
      sup(one_for_all, [w(a), w(b, #{shutdown => 200, stubborn => true}), w(c)]),
      [start, {tell, c, crash}, which, alive]},

     {<<"dynamic children are restarted alone">>,
      sup(simple_one_for_one, [w(any)], #{intensity => 1}),
      [start, {start_dynamic, a}, {start_dynamic, b}, count, {tell, a, crash}, count, {fail, c, 1},
       {start_dynamic, c}, count, {tell, b, crash}, alive]},
     {<<"dynamic temporary children">>,
      sup(simple_one_for_one, [w(any, #{restart => temporary})]),
      [start, {start_dynamic, a}, {start_dynamic, b}, {tell, a, crash}, count, alive]}].

%% -- running one

run({Name, Spec, Steps}) ->
    call(recorder, reset),
    {Done, _} = lists:mapfoldl(fun(Step, Sup) -> step(Step, Spec, Sup) end, none, Steps),
    {Name, Spec, Done}.

step(Step, Spec, Sup) ->
    {Result, Next} = do(Step, Spec, Sup),
    timer:sleep(?SETTLE + patience(Step)),
    {#{do => written(Step), result => Result, events => call(recorder, take)}, Next}.

patience({tell, _, _}) -> 300; % a group restart may have to wait for a shutdown time
patience(_) -> 0.

do(start, Spec, _) ->
    case start_supervisor(Spec) of
        {ok, Pid} -> {ok, Pid};
        {error, {shutdown, {failed_to_start_child, Id, _}}} ->
            receive {'EXIT', _, _} -> ok after 0 -> ok end,
            {#{failed_to_start => Id}, none}
    end;
do({sleep, Ms}, _, Sup) -> timer:sleep(Ms), {ok, Sup};
do({fail, Id, N}, _, Sup) -> {call(recorder, {fail, Id, N}), Sup};
do({ignore, Id, N}, _, Sup) -> {call(recorder, {ignore, Id, N}), Sup};
do({tell, Id, kill}, _, Sup) -> exit(call(recorder, {pid, Id}), kill), {ok, Sup};
do({tell, Id, How}, _, Sup) -> call(recorder, {pid, Id}) ! {do, How}, {ok, Sup};
do(stop, _, Sup) ->
    exit(Sup, shutdown),
    receive {'EXIT', Sup, Reason} -> {kind(Reason), Sup} end;
do(alive, _, Sup) ->
    receive {'EXIT', Sup, Reason} -> {kind(Reason), Sup} after 0 -> {true, Sup} end;
do(which, _, Sup) ->
    {[[Id, state(Pid), Kind] || {Id, Pid, Kind, _} <- lists:reverse(supervisor:which_children(Sup))], Sup};
do(count, _, Sup) -> {maps:from_list(supervisor:count_children(Sup)), Sup};
do({terminate, Id}, _, Sup) -> {answer(supervisor:terminate_child(Sup, Id)), Sup};
do({restart, Id}, _, Sup) -> {answer(supervisor:restart_child(Sup, Id)), Sup};
do({delete, Id}, _, Sup) -> {answer(supervisor:delete_child(Sup, Id)), Sup};
do({start_child, Child}, _, Sup) -> {answer(supervisor:start_child(Sup, child(Child))), Sup};
do({start_dynamic, Id}, _, Sup) -> {answer(supervisor:start_child(Sup, [Id])), Sup}.

written(Step) when is_tuple(Step) -> tuple_to_list(Step);
written(Step) -> [Step].

answer(ok) -> ok;
answer({ok, undefined}) -> ignored;
answer({ok, _}) -> ok;
answer({error, {already_started, _}}) -> already_started;
answer({error, Known}) when Known =:= already_present; Known =:= running; Known =:= restarting; Known =:= not_found ->
    Known;
answer({error, _}) -> failed_to_start.

state(undefined) -> stopped;
state(restarting) -> restarting;
state(Pid) when is_pid(Pid) -> running.

kind(normal) -> normal;
kind(shutdown) -> shutdown;
kind({shutdown, _}) -> shutdown;
kind(killed) -> killed;
kind(_) -> crashed.

%% -- supervisors and workers

start_supervisor(Spec) -> supervisor:start_link(?MODULE, Spec).

init(#{strategy := Strategy, intensity := Intensity, period := Period, auto_shutdown := Auto, children := Children}) ->
    Dynamic = Strategy =:= simple_one_for_one,
    {ok, {#{strategy => Strategy, intensity => Intensity, period => Period, auto_shutdown => Auto},
          [if Dynamic -> dynamic(Child); true -> child(Child) end || Child <- Children]}}.

child(#{id := Id, kind := worker} = Child) ->
    (common(Child))#{start => {?MODULE, start_worker, [Id, maps:get(stubborn, Child, false)]}};
child(#{kind := supervisor, spec := Spec} = Child) ->
    (common(Child))#{start => {?MODULE, start_supervisor, [Spec]}}.

dynamic(Child) -> (common(Child))#{start => {?MODULE, start_worker, [dynamic, false]}}.

common(#{id := Id, restart := Restart, shutdown := Shutdown, kind := Kind} = Child) ->
    #{id => Id, restart => Restart, shutdown => Shutdown, type => Kind,
      significant => maps:get(significant, Child, false)}.

start_worker(Id, Stubborn) -> proc_lib:start_link(?MODULE, worker, [Id, Stubborn, self()]).
start_worker(dynamic, Stubborn, Id) -> start_worker(Id, Stubborn).

worker(Id, Stubborn, Parent) ->
    process_flag(trap_exit, true),
    case call(recorder, {starting, Id}) of
        fail -> exit(told_to_fail);
        ignore -> proc_lib:init_ack(Parent, ignore);
        ok ->
            proc_lib:init_ack(Parent, {ok, self()}),
            serve(Id, Stubborn, Parent)
    end.

serve(Id, Stubborn, Parent) ->
    receive
        {do, crash} -> leave(Id, crashed, told_to_crash);
        {do, normal} -> leave(Id, normal, normal);
        {do, shutdown} -> leave(Id, shutdown, shutdown);
        {do, shutdown_detail} -> leave(Id, shutdown, {shutdown, detail});
        {'EXIT', Parent, _} when Stubborn -> serve(Id, Stubborn, Parent);
        {'EXIT', Parent, Reason} -> leave(Id, shutdown, Reason)
    end.

leave(Id, Word, Reason) ->
    call(recorder, {leaving, Id, Word}),
    exit(Reason).

%% -- the recorder: what happened, who is who, and whose next starts fail

recorder(Log, Pids, Fails, Ignores) ->
    receive
        {From, reset} -> reply(From, ok), recorder([], #{}, #{}, #{});
        {From, take} -> reply(From, lists:reverse(Log)), recorder([], Pids, Fails, Ignores);
        {From, {fail, Id, N}} -> reply(From, ok), recorder(Log, Pids, Fails#{Id => N}, Ignores);
        {From, {ignore, Id, N}} -> reply(From, ok), recorder(Log, Pids, Fails, Ignores#{Id => N});
        {From, {pid, Id}} -> reply(From, maps:get(Id, Pids)), recorder(Log, Pids, Fails, Ignores);
        {{Pid, _} = From, {starting, Id}} ->
            case {maps:get(Id, Fails, 0), maps:get(Id, Ignores, 0)} of
                {N, _} when N > 0 ->
                    reply(From, fail),
                    recorder([said("!", Id, "") | Log], Pids, Fails#{Id => N - 1}, Ignores);
                {_, N} when N > 0 ->
                    reply(From, ignore),
                    recorder(Log, Pids, Fails, Ignores#{Id => N - 1});
                _ ->
                    monitor(process, Pid),
                    reply(From, ok),
                    recorder([said("+", Id, "") | Log], Pids#{Id => Pid}, Fails, Ignores)
            end;
        {{Pid, _} = From, {leaving, Id, Word}} ->
            put({left, Pid}, true),
            reply(From, ok),
            recorder([said("-", Id, [" ", atom_to_list(Word)]) | Log], Pids, Fails, Ignores);
        {'DOWN', _, process, Pid, Reason} ->
            case {erase({left, Pid}), [Id || {Id, Known} <- maps:to_list(Pids), Known =:= Pid]} of
                {undefined, [Id]} ->
                    recorder([said("-", Id, [" ", atom_to_list(kind(Reason))]) | Log], Pids, Fails, Ignores);
                _ -> recorder(Log, Pids, Fails, Ignores)
            end
    end.

said(Sign, Id, Rest) -> iolist_to_binary([Sign, atom_to_list(Id), Rest]).

call(To, What) ->
    Tag = make_ref(),
    To ! {{self(), Tag}, What},
    receive {Tag, Answer} -> Answer end.

reply({Pid, Tag}, Answer) -> Pid ! {Tag, Answer}.

%% -- JSON

json(Map) when is_map(Map) ->
    Pairs = [[json(Key), <<": ">>, json(Value)] || {Key, Value} <- lists:sort(maps:to_list(Map))],
    [<<"{">>, lists:join(<<", ">>, Pairs), <<"}">>];
json(List) when is_list(List) -> [<<"[">>, lists:join(<<", ">>, [json(Each) || Each <- List]), <<"]">>];
json(Text) when is_binary(Text) -> [<<"\"">>, Text, <<"\"">>];
json(Truth) when is_boolean(Truth) -> atom_to_binary(Truth);
json(Atom) when is_atom(Atom) -> [<<"\"">>, atom_to_binary(Atom), <<"\"">>];
json(Number) when is_integer(Number) -> integer_to_binary(Number).
