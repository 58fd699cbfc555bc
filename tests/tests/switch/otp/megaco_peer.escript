#!/usr/bin/env escript
%%! -noshell
%% A media gateway with one line, or a controller that connects two lines: by Erlang/OTP's megaco,
%% whose transactions and codec are what is tried here. What it says is built from text and read
%% from OTP's terms, so that none of OTP's header files is needed.
%%
%%   megaco_peer.escript gateway ADDRESS PORT CONTROLLER PORT
%%     in:   lift, hang_up, dial NUMBER, restart, quit
%%     out:  registered, signal NAME|none, remote ADDRESS PORT, contexts N
%%   megaco_peer.escript controller ADDRESS PORT
%%     in:   quit
%%     out:  up, gateway MID VERSION, call CONTEXT CONTEXT, talking, over
%%
%% A line each; what is out of the ordinary is a line "failed ...".
-module(megaco_peer).
-mode(compile).

-export([main/1]).
-export([handle_connect/2, handle_disconnect/3, handle_syntax_error/3, handle_message_error/3,
         handle_trans_request/3, handle_trans_long_request/3, handle_trans_reply/4,
         handle_trans_ack/4, handle_unexpected_trans/3, handle_trans_request_abort/4]).

-define(CHOOSE, 16#fffffffe).
-define(ALL, 16#ffffffff).

main(["gateway", Address, Port, Controller, ControllerPort]) ->
    Handle = open(Address, Port),
    {Receive, Socket, Control} = Handle,
    Send = megaco_udp:create_send_handle(Socket, address(Controller), list_to_integer(ControllerPort)),
    {ok, Connection} = megaco:connect(Receive, preliminary_mid, Send, Control),
    listen(),
    gateway(#{role => gateway, address => Address, connection => Connection, version => 1,
              hook => on, context => none, rtp => none, next => 1, request => 0,
              events => [], port => 20000, contexts => 0});
main(["controller", Address, Port]) ->
    open(Address, Port),
    listen(),
    say("up"),
    controller(#{phones => [], calls => #{}}).

open(Address, Port) ->
    register(desk, self()),
    ok = megaco:start(),
    Mid = {ip4Address, {'IP4Address', tuple_to_list(address(Address)), list_to_integer(Port)}},
    ok = megaco:start_user(Mid, [{user_mod, ?MODULE}, {send_mod, megaco_udp},
                                 {encoding_mod, megaco_compact_text_encoder}, {encoding_config, []},
                                 {reply_timer, 30000}, {request_timer, 1000}]),
    Receive = megaco:user_info(Mid, receive_handle),
    {ok, Transport} = megaco_udp:start_transport(),
    {ok, Socket, Control} = megaco_udp:open(Transport, [{port, list_to_integer(Port)},
                                                        {udp_options, [{ip, address(Address)}]},
                                                        {receive_handle, Receive}]),
    {Receive, Socket, Control}.

address(Text) ->
    {ok, Address} = inet:parse_ipv4_address(Text),
    Address.

%% Lines of standard input become messages; its end is the end.
listen() ->
    Self = self(),
    spawn_link(fun() -> listen(Self) end).

listen(To) ->
    case io:get_line("") of
        Line when is_list(Line) -> To ! {told, string:tokens(string:trim(Line), " ")}, listen(To);
        _ -> halt(0)
    end.

say(Format) -> say(Format, []).
say(Format, What) -> io:format(Format ++ "~n", What).

%% ---- megaco's callbacks

handle_connect(Connection, _Version) -> desk ! {connected, Connection}, ok.
handle_disconnect(_Connection, _Version, _Reason) -> ok.
handle_syntax_error(_Receive, _Version, Error) -> say("failed syntax ~w", [Error]), reply.
handle_message_error(_Connection, _Version, Error) -> say("failed message ~w", [Error]), no_reply.
handle_trans_long_request(Connection, Version, Actions) -> handle_trans_request(Connection, Version, Actions).
handle_trans_reply(_Connection, _Version, _Reply, _Data) -> ok.
handle_trans_ack(_Connection, _Version, _Status, _Data) -> ok.
handle_unexpected_trans(_Receive, _Version, _Transaction) -> ok.
handle_trans_request_abort(_Connection, _Version, _Id, _Pid) -> ok.

handle_trans_request(Connection, Version, Actions) ->
    desk ! {request, self(), Connection, Version, Actions},
    receive
        {reply, Text} -> {discard_ack, replies(Version, Text)}
    after 10000 -> {discard_ack, {'ErrorDescriptor', 500, "no answer"}}
    end.

%% ---- text to terms and back

message(Version, Text) ->
    Whole = iolist_to_binary(["!/", integer_to_list(Version), " <x>\n", Text]),
    {ok, {'MegacoMessage', _, {'Message', _, _, {transactions, [{_, Transaction}]}}}} =
        megaco_compact_text_encoder:decode_message([], Whole),
    Transaction.

actions(Version, Text) -> element(3, message(Version, ["T=1{", Text, "}"])).

replies(Version, Text) ->
    {actionReplies, Replies} = lists:last([One || {actionReplies, _} = One <-
        tuple_to_list(message(Version, ["P=1{", Text, "}"]))]),
    Replies.

ask(Connection, Version, Text) ->
    case megaco:call(Connection, actions(Version, Text), []) of
        {_, {ok, Replies}} -> {ok, Replies};
        {_, {ok, Replies, _}} -> {ok, Replies};
        {_, Other} -> say("failed ~s: ~w", [Text, Other]), error
    end.

%% All values of a property in a description, wherever it stands.
values(Name, {'PropertyParm', Name, Values, _}) -> Values;
values(Name, Term) when is_tuple(Term) -> values(Name, tuple_to_list(Term));
values(Name, [Head | Tail]) -> values(Name, Head) ++ values(Name, Tail);
values(_, _) -> [].

find(Tag, Term) when is_tuple(Term), element(1, Term) =:= Tag -> [Term];
find(Tag, Term) when is_tuple(Term) -> find(Tag, tuple_to_list(Term));
find(Tag, [Head | Tail]) -> find(Tag, Head) ++ find(Tag, Tail);
find(_, _) -> [].

name({megaco_term_id, _, Parts}) -> string:join(Parts, "/").

place(Description) ->
    {["IN IP4 " ++ Address | _], ["audio " ++ Media | _]} =
        {values("c", Description), values("m", Description)},
    {Address, hd(string:tokens(Media, " "))}.

context(?CHOOSE) -> "$";
context(?ALL) -> "*";
context(0) -> "-";
context(Id) -> integer_to_list(Id).

%% ---- the gateway

gateway(State) ->
    Registered = restart(State),
    gateway_loop(Registered).

restart(State = #{connection := Connection}) ->
    case ask(Connection, map_get(version, State), "C=-{SC=root{SV{MT=RS,RE=\"901\",V=2}}}") of
        {ok, Replies} ->
            [Parm] = find('ServiceChangeResParm', Replies),
            Version = case element(4, Parm) of asn1_NOVALUE -> 1; Given -> Given end,
            megaco:update_conn_info(Connection, protocol_version, Version),
            say("registered ~w", [Version]),
            State#{version => Version, context => none, rtp => none, events => [], request => 0, contexts => 0};
        error -> State
    end.

gateway_loop(State) ->
    receive
        {connected, Connection} ->
            megaco:update_conn_info(Connection, protocol_version, map_get(version, State)),
            gateway_loop(State#{connection => Connection});
        {request, From, _, Version, Actions} ->
            {Texts, After} = lists:mapfoldl(fun action/2, State, Actions),
            From ! {reply, string:join(Texts, ",")},
            gateway_loop(already(After#{version => Version}, Actions));
        {told, ["lift"]} -> gateway_loop(notify("al/of", "", State#{hook => off}));
        {told, ["hang_up"]} -> gateway_loop(notify("al/on", "", State#{hook => on}));
        {told, ["dial", Number]} ->
            gateway_loop(notify("dd/ce", "{ds=\"" ++ Number ++ "\",Meth=UM}", State));
        {told, ["restart"]} -> gateway_loop(restart(State#{hook => on}));
        {told, ["contexts"]} -> say("contexts ~w", [map_get(contexts, State)]), gateway_loop(State);
        {told, ["quit"]} -> halt(0);
        {told, What} -> say("failed ~p", [What]), gateway_loop(State)
    end.

%% Tells of an event that is asked for.
notify(Event, Parameters, State = #{events := Events, request := Request, connection := Connection,
                                    version := Version, context := Context}) ->
    case lists:keymember(Event, 1, Events) of
        true ->
            Where = case Context of none -> "-"; _ -> integer_to_list(Context) end,
            Text = io_lib:format("C=~s{N=line1{OE=~w{~s~s}}}", [Where, Request, Event, Parameters]),
            spawn_link(fun() -> ask(Connection, Version, lists:flatten(Text)) end);
        false -> ok
    end,
    State.

%% The hook is already as it is asked for.
already(State = #{events := Events, hook := Hook}, Actions) ->
    Event = case Hook of on -> "al/on"; off -> "al/of" end,
    New = find('EventsDescriptor', Actions) =/= [],
    case lists:keyfind(Event, 1, Events) of
        {_, state} when New -> notify(Event, "{init=True}", State);
        _ -> State
    end.

action({'ActionRequest', ?ALL, _, _, _}, State = #{context := none}) ->
    {"C=*{ER=411{\"none\"}}", State};
action({'ActionRequest', ?ALL, _, _, _}, State = #{context := Context, rtp := Rtp}) ->
    {lists:flatten(io_lib:format("C=~w{AV=C{line1,~s}}", [Context, Rtp])), State};
action({'ActionRequest', Wanted, _, _, Commands}, State = #{context := Context, next := Next}) ->
    {Here, Begun} = case Wanted of
        ?CHOOSE -> {Next, State#{next => Next + 1, contexts => map_get(contexts, State) + 1}};
        0 -> {0, State};
        Context -> {Context, State};
        _ -> {unknown, State}
    end,
    case Here of
        unknown -> {"C=" ++ context(Wanted) ++ "{ER=411{\"unknown\"}}", State};
        _ ->
            {Texts, Done} = lists:mapfoldl(fun(Command, Now) -> command(Here, Command, Now) end, Begun, Commands),
            {"C=" ++ context(Here) ++ "{" ++ string:join(Texts, ",") ++ "}", Done}
    end.

command(Here, {'CommandRequest', {Tag, Request}, _, _}, State) ->
    case {Tag, Request} of
        {modReq, {'AmmRequest', [Id], Descriptors}} ->
            {"MF=" ++ name(Id), told(name(Id), Descriptors, State)};
        {addReq, {'AmmRequest', [{megaco_term_id, true, _}], Descriptors}} ->
            #{port := Port, address := Address} = State,
            Rtp = "rtp/" ++ integer_to_list(Here),
            Text = io_lib:format("A=~s{M{O{MO=SR},L{v=0\r\nc=IN IP4 ~s\r\nm=audio ~w RTP/AVP 0\r\n}}}",
                                 [Rtp, Address, Port]),
            {lists:flatten(Text), told(Rtp, Descriptors, State#{rtp => Rtp, port => Port + 2})};
        {addReq, {'AmmRequest', [Id], Descriptors}} ->
            {"A=" ++ name(Id), told(name(Id), Descriptors, State#{context => Here})};
        {subtractReq, {'SubtractRequest', [Id | _], _}} ->
            {"S=" ++ name(Id), gone(name(Id), State)};
        {auditValueRequest, {'AuditRequest', {megaco_term_id, true, _}, _}} ->
            case State of
                #{context := none} -> {"AV=C{line1}", State};
                _ -> {"AV=C{root}", State}
            end;
        {auditValueRequest, {'AuditRequest', Id, _}} ->
            #{request := Asked} = State,
            {lists:flatten(io_lib:format("AV=~s{E=~w{al/on}}", [name(Id), Asked])), State}
    end.

gone("line1", State) -> State#{context => none};
gone("*", State) -> State#{context => none, rtp => none, contexts => map_get(contexts, State) - 1};
gone(_, State) -> State#{rtp => none, contexts => map_get(contexts, State) - 1}.

told("root", _, State) -> State;
told(Id, Descriptors, State) -> lists:foldl(fun(One, Now) -> told_one(Id, One, Now) end, State, Descriptors).

told_one(_, {eventsDescriptor, {'EventsDescriptor', Request, Events}}, State) ->
    Of = fun({'RequestedEvent', Name, _, _, Parameters}) ->
        Strict = [strict || {'EventParameter', "strict", ["state"], _} <- Parameters],
        {Name, case Strict of [] -> exact; _ -> state end}
    end,
    State#{events => lists:map(Of, Events), request => Request};
told_one(_, {signalsDescriptor, []}, State) -> say("signal none"), State;
told_one(_, {signalsDescriptor, [{signal, Signal} | _]}, State) -> say("signal ~s", [element(2, Signal)]), State;
told_one(_, {mediaDescriptor, Media}, State) ->
    [Parameters | _] = find('StreamParms', Media),
    case element(4, Parameters) of
        asn1_NOVALUE -> ok;
        Remote -> {Address, Port} = place(Remote), say("remote ~s ~s", [Address, Port])
    end,
    State;
told_one(_, _, State) -> State.

%% ---- the controller

controller(State) ->
    receive
        {connected, _} -> controller(State);
        {request, From, Connection, Version, Actions} ->
            From ! {reply, string:join([answer(One) || One <- Actions], ",")},
            controller(lists:foldl(fun(One, Now) -> heard(Connection, Version, One, Now) end, State, Actions));
        {told, ["quit"]} -> halt(0)
    end.

answer({'ActionRequest', Context, _, _, Commands}) ->
    Of = fun({'CommandRequest', {notifyReq, Request}, _, _}) -> "N=" ++ name(hd(element(2, Request)));
            ({'CommandRequest', {serviceChangeReq, Request}, _, _}) ->
                Accepted = "{SV{V=" ++ integer_to_list(spoken(Request)) ++ "}}",
                "SC=" ++ name(hd(element(2, Request))) ++ Accepted
         end,
    "C=" ++ context(Context) ++ "{" ++ string:join(lists:map(Of, Commands), ",") ++ "}".

%% The version that is agreed on.
spoken(Request) ->
    [Parm] = find('ServiceChangeParm', Request),
    case element(4, Parm) of
        asn1_NOVALUE -> 1;
        Offered -> min(Offered, 2)
    end.

heard(Connection, _, {'ActionRequest', _, _, _, [{'CommandRequest', {serviceChangeReq, Request}, _, _} | _]},
      State = #{phones := Phones}) ->
    Spoken = spoken(Request),
    ok = megaco:update_conn_info(Connection, protocol_version, Spoken),
    say("gateway ~w", [Spoken]),
    ask(Connection, Spoken, "C=-{MF=root{E=1{it/ito{mit=200}}}}"),
    idle(Connection, Spoken),
    State#{phones => lists:keystore(Connection, 1, Phones, {Connection, Spoken})};
heard(Connection, Version, {'ActionRequest', _, _, _, [{'CommandRequest', {notifyReq, Request}, _, _} | _]}, State) ->
    [{'ObservedEvent', Name, _, Parameters, _} | _] = find('ObservedEvent', Request),
    event(Name, Parameters, Connection, Version, State).

idle(Connection, Version) ->
    ask(Connection, Version, "C=-{MF=line1{E=2{al/of{strict=state}},SG}}").

event("al/of", _, Connection, Version, State = #{calls := Calls}) ->
    case Calls of
        #{Connection := {_, _, Caller}} ->
            #{Caller := {Context, Rtp, _}} = Calls,
            ask(Caller, Version, io_lib:format("C=~w{MF=line1{SG,E=5{al/on}},MF=~s{M{O{MO=SR}}}}", [Context, Rtp])),
            say("talking");
        _ ->
            ask(Connection, Version, "C=-{MF=line1{E=3{al/on,dd/ce{DM={(5xxx)}}},SG{cg/dt}}}")
    end,
    State;
event("dd/ce", Parameters, Caller, Version, State = #{phones := Phones}) ->
    [["500" ++ Digit]] = [Values || {'EventParameter', "ds", Values, _} <- Parameters],
    {Callee, _} = lists:nth(list_to_integer(Digit), Phones),
    Local = "L{v=0\r\nc=IN IP4 $\r\nm=audio $ RTP/AVP 0\r\n}",
    {C2, R2, D2} = add(Callee, Version, "C=${A=line1{SG{al/ri},E=4{al/of,al/on}},A=${M{O{MO=SR}," ++ Local ++ "}}}"),
    {C1, R1, D1} = add(Caller, Version, ["C=${A=line1{SG{cg/rt},E=5{al/on}},A=${M{O{MO=RC},", Local, ",R{", D2, "}}}}"]),
    ask(Callee, Version, io_lib:format("C=~w{MF=~s{M{R{~s}}}}", [C2, R2, D1])),
    say("call ~w ~w", [C1, C2]),
    Calls = map_get(calls, State),
    State#{calls => Calls#{Caller => {C1, R1, Callee}, Callee => {C2, R2, Caller}}};
event("al/on", _, Connection, Version, State = #{calls := Calls}) ->
    case Calls of
        #{Connection := {Context, _, Other}} ->
            ask(Connection, Version, io_lib:format("C=~w{W-S=*{AT{}}}", [Context])),
            case maps:take(Other, maps:remove(Connection, Calls)) of
                {{Theirs, _, _}, Rest} ->
                    ask(Other, Version, io_lib:format("C=~w{W-S=*{AT{}}}", [Theirs])),
                    ask(Other, Version, "C=-{MF=line1{E=6{al/on{strict=state}},SG{cg/bt}}}"),
                    idle(Connection, Version),
                    State#{calls => Rest};
                error -> State
            end;
        _ ->
            idle(Connection, Version),
            say("over"),
            State
    end;
event(_, _, _, _, State) -> State.

%% Makes a context: its number, its media termination, and what that offers.
add(Connection, Version, Text) ->
    {ok, [Reply]} = ask(Connection, Version, Text),
    [Stream | _] = find('StreamParms', Reply),
    {Address, Port} = place(element(3, Stream)),
    [Rtp | _] = [name(Id) || Id = {megaco_term_id, _, Parts} <- find(megaco_term_id, Reply), Parts =/= ["line1"]],
    {element(2, Reply), Rtp, io_lib:format("v=0\r\nc=IN IP4 ~s\r\nm=audio ~s RTP/AVP 0\r\n", [Address, Port])}.
