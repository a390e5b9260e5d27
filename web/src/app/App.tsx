import { lazy, Suspense } from "react";
import { Route, Switch } from "wouter";

import { ChatPage } from "../chat/ChatPage";
import { Shell } from "./Shell";

// The chat is the first load; every other page comes when it is opened.
const Notices = lazy(() => import("./Notices"));
const NotFoundPage = lazy(() => import("./NotFoundPage"));
const OverviewPage = lazy(() => import("../overview/OverviewPage"));
const ProcessesPage = lazy(() => import("../processes/ProcessesPage"));
const TreePage = lazy(() => import("../tree/TreePage"));
const EventsPage = lazy(() => import("../events/EventsPage"));
const AgentsPage = lazy(() => import("../agents/AgentsPage"));
const McpPage = lazy(() => import("../mcp/McpPage"));
const WorkflowsPage = lazy(() => import("../workflows/WorkflowsPage"));
const CostsPage = lazy(() => import("../costs/CostsPage"));
const ApprovalsPage = lazy(() => import("../approvals/ApprovalsPage"));
const SchedulesPage = lazy(() => import("../schedules/SchedulesPage"));
const FilesPage = lazy(() => import("../files/FilesPage"));
const SettingsPage = lazy(() => import("../settings/SettingsPage"));

export function App() {
  return (
    <Shell>
      <Suspense fallback={null}>
        <Notices />
      </Suspense>
      <Suspense fallback={null}>
        <Switch>
          <Route path="/" component={ChatPage} />
          <Route path="/overview" component={OverviewPage} />
          <Route path="/processes/*?" component={ProcessesPage} />
          <Route path="/tree" component={TreePage} />
          <Route path="/events" component={EventsPage} />
          <Route path="/agents/*?" component={AgentsPage} />
          <Route path="/mcp" component={McpPage} />
          <Route path="/workflows/*?" component={WorkflowsPage} />
          <Route path="/costs" component={CostsPage} />
          <Route path="/approvals" component={ApprovalsPage} />
          <Route path="/schedules" component={SchedulesPage} />
          <Route path="/files" component={FilesPage} />
          <Route path="/settings" component={SettingsPage} />
          <Route component={NotFoundPage} />
        </Switch>
      </Suspense>
    </Shell>
  );
}
